// Networks that come and go under a running call.

import assert from 'node:assert/strict';
import { copyInvite, join, makeRoom, until, untilFrames, untilPair } from './pages.mjs';

const relayed = (local, remote) => local === 'relay' && remote === 'relay';
/** Fresh credentials come after four fifths of a minute. */
const FRESH_WITHIN_MS = 60_000;

/** The server's shortest-lived credentials: what is pushed comes while the tests run. */
export const SHORT = { set: ['auth.credential_ttl=1m'] };

const ufrag = (page) => page.evaluate(() => /a=ice-ufrag:(\S+)/.exec(window.seen.connections.at(-1).localDescription.sdp)[1]);
const username = (page) => page.evaluate(() => window.seen.connections.at(-1).getConfiguration().iceServers.find((one) => one.username)?.username);

/** @param {any} house */
export function network(house) {
  let ada; let grace; let first;
  const both = (run) => Promise.all([run(ada), run(grace)]);
  const made = () => ada.evaluate(() => window.seen.connections.length);

  house.test('a dropped WebSocket is resumed: the call runs on and signalling works again', async () => {
    [ada, grace] = [await house.open(), await house.open()];
    await makeRoom(ada, house.origin);
    await join(grace, await copyInvite(ada));
    await both((page) => untilFrames(page, 10));
    first = await both(username);
    const [before, fragment] = [await made(), await ufrag(ada)];
    await grace.evaluate(() => window.seen.sockets.at(-1).close());
    await until('a second WebSocket', () => grace.evaluate(() => window.seen.sockets.length > 1 && window.seen.sockets.at(-1).readyState === WebSocket.OPEN));
    await untilFrames(ada, 10);
    assert.deepEqual([await made(), await ufrag(ada)], [before, fragment], 'the connection between the two was not touched');
    assert.equal(await ada.locator('.notice', { hasText: /Grace.*(left|lost)/ }).count(), 0);
    // An offer has to pass: ICE is restarted on the side that was away.
    await grace.evaluate(() => window.seen.connections.at(-1).restartIce());
    await until('the other side to restart ICE as well', async () => (await ufrag(ada)) !== fragment);
    assert.equal(await made(), before, 'a restart keeps the connection');
    await both((page) => untilFrames(page, 10));
  });

  house.test('a network that goes is told; one that comes back restarts ICE, and the call goes on in the same connection', async () => {
    const [before, fragments, sockets] = [await made(), await both(ufrag), await grace.evaluate(() => window.seen.sockets.length)];
    await grace.context().setOffline(true);
    await grace.getByText('This device has no network').waitFor();
    await house.shot(grace, 'no-network');
    await grace.context().setOffline(false);
    await until('ICE to restart on both sides', async () => (await both(ufrag)).every((one, at) => one !== fragments[at]));
    await grace.getByText('This device has no network').waitFor({ state: 'hidden' });
    await until('a new WebSocket', () => grace.evaluate((count) => window.seen.sockets.length > count && window.seen.sockets.at(-1).readyState === WebSocket.OPEN, sockets));
    assert.equal(await made(), before);
    await both((page) => untilFrames(page, 10));
    await both((page) => page.getByText('2 people').waitFor());
  });

  house.test('a path that fails is looked for again', async () => {
    const fragment = await ufrag(ada);
    await ada.evaluate(() => {
      const connection = window.seen.connections.at(-1);
      Object.defineProperty(connection, 'iceConnectionState', { value: 'failed', configurable: true });
      connection.dispatchEvent(new Event('iceconnectionstatechange'));
      delete connection.iceConnectionState;
    });
    await until('ICE to restart', async () => (await ufrag(ada)) !== fragment);
    await both((page) => untilFrames(page, 10));
  });

  house.test('the call goes on with cameras off, while other tests run', async () => {
    await both((page) => page.getByRole('button', { name: 'Camera' }).click());
    house.first = first;
  });
}

/** Later: what the time has brought to that call. @param {any} house */
export function networkLater(house) {
  const both = (run) => Promise.all(house.pages.map(run));

  house.test('credentials pushed before the old ones end are taken, and used by the next search for a path', async () => {
    await until('fresh credentials in the running connection', async () => (await both(username)).every((one, at) => one !== house.first[at]), FRESH_WITHIN_MS);
    const [ada] = house.pages;
    const [fresh, fragment] = [await username(ada), await ufrag(ada)];
    await ada.evaluate(() => { window.dispatchEvent(new Event('online')); });
    await until('ICE to restart', async () => (await ufrag(ada)) !== fragment);
    await both((page) => untilPair(page, 'a relayed pair', relayed));
    await until('an allocation for the fresh credentials', async () => house.server.log().includes(`"user":"${fresh}"`));
    assert.deepEqual(await both((page) => page.evaluate(() => window.seen.connections.length)), [1, 1], 'one connection all the time');
    await both((page) => page.getByRole('button', { name: 'Camera' }).click());
    await both((page) => untilFrames(page, 10));
    await house.closePages();
  });
}
