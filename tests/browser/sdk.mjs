// The SDK by itself: from a page of another origin, without a room, and what its types say.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { freePort } from './server.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const PORT = await freePort();

/** The other origin is listed; nobody but the page there is. */
export const LISTED = { set: [`http.allowed_origins=["http://localhost:${PORT}"]`] };

/** @param {any} house */
export function sdk(house) {
  let page; let elsewhere;

  house.test('sdk.d.ts holds for an application in strict TypeScript, and says what the modules are', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [here('node_modules/typescript/bin/tsc'), '-p', here('types')])
      .catch((wrong) => wrong);
    assert.equal(stdout, '', 'complaints of tsc');
    const { stdout: exported } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', `console.log(Object.keys(await import(${JSON.stringify(new URL('../../web/sdk.js', import.meta.url).href)})).join())`]);
    assert.match(exported, /^Call,IceKeeper,Media,Relayhouse,RelayhouseError,/, 'it loads where there is no browser');
  });

  house.test('a page of another origin imports it, and two people meet, write and send a file', async () => {
    elsewhere = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end('<!doctype html><title>An application</title><link rel="icon" href="data:,">'));
    await new Promise((resolve) => { elsewhere.listen(PORT, '127.0.0.1', resolve); });
    page = await house.open({ expect: /status of 410|status of 404/ });
    await page.goto(`http://localhost:${PORT}/`);
    const told = await page.evaluate(async (from) => {
      const { Relayhouse, Sha256 } = await import(`${from}/sdk.js`);
      const server = new Relayhouse();
      const { room, ticket } = await server.createRoom({ name: 'Elsewhere' });
      const { url } = await server.createInvite(room.id, { token: ticket });
      const host = await (await server.join({ ticket, name: 'Ada' })).ready;
      const guest = await server.join({ invite: url, name: 'Grace' });
      const heard = (call, type, fits = () => true) => new Promise((resolve) => { call.on(type, (detail) => { if (fits(detail)) resolve(detail); }); });
      const [atHost, atGuest] = await Promise.all([heard(host, 'peer', (peer) => peer.told), heard(guest, 'peer', (peer) => peer.told)]);
      const written = heard(guest, 'chat');
      host.chat('Good morning');
      const passed = heard(host, 'message');
      guest.message({ page: 3 });
      const offered = heard(guest, 'file');
      const [outgoing] = host.sendFile(new Blob(['a file']), { name: 'a.txt' });
      const incoming = await offered;
      incoming.accept();
      await heard(incoming, 'state', (state) => state === 'done');
      const left = heard(guest, 'left');
      const answer = {
        base: server.base, names: [atHost.name, atGuest.name], polite: [atHost.polite, atGuest.polite], written: (await written).text, passed: (await passed).data,
        file: await incoming.blob.text(), same: incoming.sha256 === new Sha256().update(new TextEncoder().encode('a file')).hex() && outgoing.sha256 === incoming.sha256,
        room: guest.room.name, roles: [host.role, guest.role],
      };
      host.leave();
      return { ...answer, left: (await left).reason, again: await server.redeem(url).catch((wrong) => `${wrong.code}: ${wrong.message}`), gone: guest.leave() };
    }, house.origin);
    assert.equal(told.base, house.origin, 'it speaks to the server it came from');
    assert.deepEqual([told.names, told.polite, told.roles], [['Grace', 'Ada'], [false, true], ['host', 'guest']]);
    assert.deepEqual([told.written, told.passed, told.file, told.same, told.room, told.left], ['Good morning', { page: 3 }, 'a file', true, 'Elsewhere', 'left']);
    assert.match(told.again, /^invite_used: This invite was already used/);
  });

  house.test('without a room, ICE servers are fetched and fetched again before they end', async () => {
    const told = await page.evaluate(async (from) => {
      const { IceKeeper, Relayhouse } = await import(`${from}/sdk.js`);
      const server = new Relayhouse();
      const kept = server.keepIce();
      const first = await kept.ready;
      kept.stop();
      const times = [];
      let fails = 1;
      const quick = new IceKeeper(async () => {
        times.push(performance.now());
        if (times.length === 2 && fails-- > 0) throw new Error('once');
        return { ...first, ttl: 1 };
      });
      const errors = [];
      quick.on('error', (wrong) => errors.push(wrong.message));
      await new Promise((resolve) => { quick.on('servers', () => { if (times.length === 3) resolve(); }); });
      quick.stop();
      return { urls: first.iceServers.flatMap((one) => one.urls), ttl: first.ttl, early: times[1] - times[0] < 1000, errors };
    }, house.origin);
    assert.ok(told.urls.some((url) => url.startsWith('turn:')), told.urls.join());
    assert.ok(told.ttl > 0 && told.early, 'asked again before the end');
    assert.deepEqual(told.errors, ['once']);
  });

  house.test('a ticket that is not good, a peer that is not there, a server that is away: each is a code and a sentence', async () => {
    const told = await page.evaluate(async (from) => {
      const { Relayhouse, RelayhouseError } = await import(`${from}/sdk.js`);
      const server = new Relayhouse();
      const caught = async (promise) => promise.then(() => 'nothing', (wrong) => [wrong instanceof RelayhouseError, wrong.code, wrong.message]);
      const { room, ticket } = await server.createRoom();
      const host = await (await server.join({ ticket })).ready;
      const refused = new Promise((resolve) => { host.on('error', (wrong) => resolve([wrong instanceof RelayhouseError, wrong.code, wrong.message])); });
      host.kick('nobody');
      const answer = [
        await caught((await server.join({ ticket: 'not.a.ticket' })).ready), await refused,
        await caught(server.room('no-such-room', { token: ticket })), await caught(new Relayhouse('http://127.0.0.1:1').createRoom()),
        await caught(server.room(room.id, { token: ticket }).then(() => { throw new RelayhouseError('file_damaged'); })),
      ];
      host.leave();
      return answer;
    }, house.origin);
    assert.deepEqual(told.map(([mine, code]) => [mine, code]), [[true, 'unauthorized'], [true, 'no_such_peer'], [true, told[2][1]], [true, 'unreachable'], [true, 'file_damaged']]);
    for (const [, , words] of told) assert.match(words, /^[A-Z][^{}]+[.!]$/, 'a sentence for people');
    page.complaints = page.complaints.filter((one) => !/ERR_(CONNECTION_REFUSED|UNSAFE_PORT|FAILED)|status of 40/.test(one));
  });

  house.test('no page complained', async () => {
    await house.closePages();
    elsewhere.close();
  });
}
