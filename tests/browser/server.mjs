// Starts the binary on free loopback ports and keeps the end of its log for failures.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const READY_WITHIN_MS = 15_000;
const STOPS_WITHIN_MS = 5_000;

/**
 * @param {string} binary
 * @param {{listen?: string|string[], http?: string, data?: string, dev?: boolean, set?: string[], https?: boolean}} [how]
 *   without `dev` it is closed to strangers and holds to its default peer policy; `https` is how pages are asked for
 * @returns {Promise<{origin: string, udp: string[], log: () => string, stop: () => Promise<void>, killAndStart: () => Promise<any>,
 *   creatorLink: () => string|undefined}>}
 */
export async function startServer(binary, { listen = '127.0.0.1:0', http = '127.0.0.1:0', data, dev = true, set = [], https = false } = {}) {
  data ??= await mkdtemp(join(tmpdir(), 'relayhouse-browser-'));
  const listens = [listen].flat().flatMap((address) => ['--listen', address]);
  const sets = ['log.format=json', ...set].flatMap((pair) => ['--set', pair]);
  const args = [...(dev ? ['--dev'] : []), ...listens, '--http', http, '--data-dir', data, ...sets];
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
  const killAndStart = async () => {
    child.kill('SIGKILL');
    await ended;
    return startServer(binary, { listen: ready.udp, http: ready.http, data, dev });
  };
  return { origin: `${https ? 'https' : 'http'}://${ready.http.split(',')[0]}`, udp: ready.udp.split(','), log, stop, killAndStart, creatorLink: () => creatorLink };
}
