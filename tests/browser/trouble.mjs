// What a person reads when something fails.

import assert from 'node:assert/strict';
import { copyInvite, join, makeRoom, untilFrames } from './pages.mjs';

/** @param {any} house */
export function trouble(house) {
  /** Asks the server past the page. */
  const post = (path, body, ticket) => fetch(house.origin + path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...(ticket ? { authorization: `Bearer ${ticket}` } : {}) },
  }).then((answer) => answer.json());

  house.test('an invite works once; the second use is told so', async () => {
    const ada = await house.open();
    const grace = await house.open();
    const late = await house.open({ expect: /status of 410/ });
    await makeRoom(ada, house.origin);
    const link = await copyInvite(ada);
    await join(grace, link);
    await grace.locator('#view-call').waitFor();
    await join(late, link);
    await late.getByText('This invite was already used').waitFor();
    await house.shot(late, 'invite-used');
    assert.equal(await late.evaluate(() => document.activeElement?.id), 'join-go', 'the focus is where one can go on');
    await house.closePages();
  });

  house.test('an invite that the server does not know is told so', async () => {
    const page = await house.open({ expect: /status of 404/ });
    await join(page, `${house.origin}/#invite=AAAAAAAAAAAAAAAAAAAAAA`);
    await page.getByText('does not know that invite').waitFor();
    await house.closePages();
  });

  house.test('a full room is told so', async () => {
    const ada = await house.open();
    const late = await house.open({ expect: /status of 4\d\d/ });
    const made = await post('/api/v1/rooms', { capacity: 1 });
    const invite = () => post(`/api/v1/rooms/${made.room.id}/invites`, {}, made.ticket).then(({ url }) => url);
    await join(ada, await invite());
    await ada.locator('#view-call').waitFor();
    await join(late, await invite());
    await late.getByText('The room is full').waitFor();
    await late.getByRole('heading', { name: 'You could not come in' }).waitFor();
    await house.shot(late, 'room-full');
    // The invite is spent, the seat is not lost.
    await ada.getByRole('button', { name: 'Leave' }).click();
    await late.getByRole('button', { name: 'Try again' }).click();
    await late.locator('#view-call').waitFor();
    await house.closePages();
  });

  house.test('a server killed in the middle of a call and started again: the call comes back by itself', async () => {
    const ada = await house.open({ expect: /WebSocket|ERR_CONNECTION/ });
    const grace = await house.open({ expect: /WebSocket|ERR_CONNECTION/ });
    await makeRoom(ada, house.origin);
    await join(grace, await copyInvite(ada));
    await untilFrames(ada, 10);
    const before = await ada.evaluate(() => window.seen.sockets.length);
    house.server = await house.server.killAndStart();
    await ada.waitForFunction((count) => window.seen.sockets.length > count && window.seen.sockets.at(-1).readyState === 1, before);
    await Promise.all([ada, grace].map(async (page) => {
      await page.getByText('2 people').waitFor();
      await page.locator('#paths .up').waitFor();
      await untilFrames(page, 15);
    }));
    await house.shot(ada, 'after-restart');
    await house.closePages();
  });

  house.test('a server that cannot be reached is told so, and the page goes on when it can', async () => {
    const page = await house.open({ expect: /ERR_INTERNET_DISCONNECTED/ });
    await page.goto(house.origin);
    await page.locator('#view-start').waitFor();
    await page.context().setOffline(true);
    await page.getByRole('button', { name: 'Make a room' }).click();
    await page.getByText('The server cannot be reached').waitFor();
    await house.shot(page, 'unreachable');
    await page.context().setOffline(false);
    await page.getByRole('button', { name: 'Make a room' }).click();
    await page.locator('#view-call').waitFor();
    await house.closePages();
  });

  house.test('a relay that cannot be reached is told with the browser’s code', async () => {
    const ada = await house.open();
    const grace = await house.open({ before: deafRelay });
    await makeRoom(ada, house.origin);
    await join(grace, await copyInvite(ada));
    await grace.getByText(/cannot be reached \(701/).waitFor();
    await house.shot(grace, 'no-relay');
    await house.closePages();
  });

  house.test('a relay that refuses the credentials is told so', async () => {
    const ada = await house.open();
    const grace = await house.open({ before: wrongPassword });
    await makeRoom(ada, house.origin);
    await join(grace, await copyInvite(ada));
    await grace.getByText('The relay refused this page’s credentials').waitFor();
    await house.shot(grace, 'credentials-refused');
    await house.closePages();
  });

  house.test('credentials that are refused once are fetched anew, and the call comes up', async () => {
    const ada = await house.open();
    const grace = await house.open({ before: wrongPasswordAtFirst });
    await makeRoom(ada, house.origin);
    await join(grace, await copyInvite(ada));
    await untilFrames(grace, 10);
    await grace.locator('.notice.bad').waitFor({ state: 'detached' });
    await house.closePages();
  });

  for (const [why, before, words, again] of [
    ['a camera in use', inUse, 'Your camera and microphone are in use by another program.', 'Your camera is in use by another program.'],
    ['a page that is not secure', insecure, 'The browser gives camera and microphone only to pages over HTTPS or on localhost.', 'The browser gives camera only'],
  ]) {
    house.test(`${why} is told so, before and in the call`, async () => {
      const page = await house.open({ before });
      const made = await post('/api/v1/rooms', {});
      const { url } = await post(`/api/v1/rooms/${made.room.id}/invites`, {}, made.ticket);
      await page.goto(url);
      await page.locator('#join-devices', { hasText: words }).waitFor();
      await page.locator('#join-go').click();
      await page.locator('.notice', { hasText: words }).waitFor();
      await page.getByRole('button', { name: 'Camera' }).click();
      await page.locator('.notice', { hasText: again }).waitFor();
      await house.closePages();
    });
  }

  house.test('a seat taken over by another tab is told so, and can be taken back', async () => {
    const ada = await house.open();
    const other = await house.open();
    await makeRoom(ada, house.origin);
    const seat = await ada.evaluate(() => sessionStorage.getItem('relayhouse.seat'));
    await other.goto(house.origin);
    await other.evaluate((mine) => sessionStorage.setItem('relayhouse.seat', mine), seat);
    await other.reload();
    await ada.getByRole('heading', { name: 'The call goes on elsewhere' }).waitFor();
    await ada.getByRole('button', { name: 'Try again' }).click();
    await ada.locator('#view-call').waitFor();
    await other.getByRole('heading', { name: 'The call goes on elsewhere' }).waitFor();
    await house.closePages();
  });

  house.test('a room that is closed under a call is told so', async () => {
    const grace = await house.open();
    const made = await post('/api/v1/rooms', {});
    await join(grace, (await post(`/api/v1/rooms/${made.room.id}/invites`, {}, made.ticket)).url);
    await grace.locator('#view-call').waitFor();
    await fetch(`${house.origin}/api/v1/rooms/${made.room.id}`, { method: 'DELETE', headers: { authorization: `Bearer ${made.ticket}` } });
    await grace.getByRole('heading', { name: 'The call has ended' }).waitFor();
    await grace.getByText('The room was closed').waitFor();
    await house.closePages();
  });

  house.test('a creator ticket in the link leaves the address bar', async () => {
    const page = await house.open();
    await page.goto(`${house.origin}/#creator=secret-ticket`);
    await page.locator('#view-start').waitFor();
    assert.equal(page.url(), `${house.origin}/`);
    await house.closePages();
  });

  house.test('the page is served with a policy that allows nothing inline and nothing foreign', async () => {
    const answer = await fetch(house.origin);
    const policy = answer.headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'self'/);
    assert.doesNotMatch(policy, /unsafe|\*/);
  });
}

/** Points every TURN URL at a port nobody listens on. */
function deafRelay() {
  window.twistConfiguration = (configuration) => ({
    ...configuration,
    iceServers: configuration.iceServers.filter((one) => one.credential).map((one) => ({ ...one, urls: ['turn:127.0.0.1:1025?transport=tcp'] })),
  });
}

function wrongPassword() {
  window.twistConfiguration = (configuration) => ({
    ...configuration,
    iceServers: configuration.iceServers.map((one) => (one.credential ? { ...one, credential: 'not the one' } : one)),
  });
}

function wrongPasswordAtFirst() {
  let times = 0;
  window.twistConfiguration = (configuration) => {
    times += 1;
    return times > 1 ? configuration : { ...configuration, iceServers: configuration.iceServers.map((one) => (one.credential ? { ...one, credential: 'not the one' } : one)) };
  };
}

function inUse() {
  navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('busy', 'NotReadableError'); };
}

function insecure() {
  Object.defineProperty(navigator, 'mediaDevices', { value: undefined });
}
