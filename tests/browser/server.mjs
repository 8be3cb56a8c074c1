// Starts the binary on free loopback ports and keeps the end of its log for failures.

import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { connect } from 'node:tls';

const READY_WITHIN_MS = 15_000;
const STOPS_WITHIN_MS = 5_000;

/**
 * @param {string} binary
 * @param {{listen?: string, http?: string, tls?: string, data?: string, dev?: boolean, set?: string[]}} [how] addresses may be
 *   several with commas between; without `dev` it is closed to strangers and holds to its default peer policy
 * @returns {Promise<{origin: string, udp: string[], tcp: string[], tls: string[], http: string[], log: () => string, stop: () => Promise<void>, killAndStart: () => Promise<any>,
 *   creatorLink: () => string|undefined, command: (given: string[], input?: string) => Promise<string>}>} `command` runs the
 *   program's own commands beside it
 */
export async function startServer(binary, { listen = '127.0.0.1:0', http = '127.0.0.1:0', tls = '', data, dev = true, set = [] } = {}) {
  data ??= await mkdtemp(join(tmpdir(), 'relayhouse-browser-'));
  const args = [...(dev ? ['--dev'] : []), ...several('--listen', listen), ...several('--http', http), '--data-dir', data, '--set', 'log.format=json', '--set', `listen.tls=${JSON.stringify(parts(tls))}`, ...set.flatMap((one) => ['--set', one])];
  // The server reads RELAYHOUSE_… as its configuration; what is meant for this test is not.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('RELAYHOUSE_')));
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  /** @type {string[]} */ const lines = [];
  let creatorLink;
  const log = () => lines.slice(-40).join('\n');
  const ended = new Promise((resolve) => { child.once('exit', resolve); child.once('error', resolve); });
  const stop = async () => {
    child.kill('SIGTERM');
    const patience = setTimeout(() => child.kill('SIGKILL'), STOPS_WITHIN_MS);
    await ended;
    clearTimeout(patience);
    await rm(data, { recursive: true, force: true });
  };
  const ready = await new Promise((resolve, reject) => {
    const fail = (why) => reject(new Error(`${binary} ${why}\n${log()}`));
    const timer = setTimeout(() => fail(`was not ready within ${READY_WITHIN_MS} ms`), READY_WITHIN_MS);
    child.once('error', (cause) => fail(`could not be started: ${cause.message}`));
    child.once('exit', (code, signal) => fail(`ended before it was ready (${signal ?? code})`));
    const read = (stream, see) => {
      let rest = '';
      stream.setEncoding('utf8').on('data', (text) => {
        const parts = (rest + text).split('\n');
        rest = parts.pop();
        for (const line of parts) { lines.push(line); see(line); }
      });
    };
    read(child.stdout, (line) => { creatorLink ??= /\S+#creator=\S+/.exec(line)?.[0]; });
    read(child.stderr, (line) => {
      let fields;
      try { ({ fields } = JSON.parse(line)); } catch { return; }
      if (fields?.message !== 'ready') return;
      clearTimeout(timer);
      resolve(fields);
    });
  }).catch(async (cause) => { await stop(); throw cause; });
  const command = (given, input = '') => new Promise((resolve, reject) => {
    const run = execFile(binary, [...given, '--data-dir', data], { env }, (wrong, out, said) => (wrong ? reject(new Error(said)) : resolve(out)));
    run.stdin.end(input);
  });
  const killAndStart = async () => {
    child.kill('SIGKILL');
    await ended;
    return startServer(binary, { listen: ready.udp, http: ready.http, tls, data, dev, set });
  };
  return { origin: `http://${ready.http.split(',')[0]}`, udp: parts(ready.udp), tcp: parts(ready.tcp), tls: parts(ready.tls), http: parts(ready.http), log, stop, killAndStart, creatorLink: () => creatorLink, command };
}

const parts = (text) => (text ?? '').split(',').filter(Boolean);
const several = (flag, text) => parts(text).flatMap((one) => [flag, one]);

/** What Chromium knows the certificate on a TLS address by: the hash of its public key. */
export const fingerprint = (address) => new Promise((resolve, reject) => {
  const [, host, port] = /^\[?(.*?)\]?:(\d+)$/.exec(address);
  const socket = connect({ host, port: Number(port), rejectUnauthorized: false }, () => {
    const key = socket.getPeerX509Certificate().publicKey.export({ type: 'spki', format: 'der' });
    socket.destroy();
    resolve(createHash('sha256').update(key).digest('base64'));
  });
  socket.once('error', reject);
});

/** A port nobody had a moment ago, for addresses that must be one and the same. */
export const freePort = () => new Promise((resolve, reject) => {
  const server = createServer().once('error', reject).listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});
