// Two tabs, a room and an invite made through the page, and everything two people do in a call.

import assert from 'node:assert/strict';
import { copyInvite, join, makeRoom, measure, until, untilFrames, untilPair } from './pages.mjs';

const relayed = (local, remote) => local === 'relay' && remote === 'relay';

/** @param {any} house @param {{brief?: boolean}} [how] `brief`: only that media and data flow through the relay */
export function aCall(house, { brief = false } = {}) {
  let ada; let grace; let link;
  const both = (run) => Promise.all([run(ada), run(grace)]);

  house.test('a room and an invite made through the page bring two tabs together', async () => {
    ada = await house.open({ large: true });
    grace = await house.open({ large: true, dark: true });
    await makeRoom(ada, house.origin);
    await ada.getByText('Nobody else is here yet').waitFor();
    await house.shot(ada, 'alone');
    link = await copyInvite(ada);
    assert.ok(link.startsWith(`${house.origin}/#invite=`), link);
    await ada.getByText('lets one person in, once').first().waitFor();
    await house.shot(ada, 'invited');
    await join(grace, link);
    await both((page) => page.getByText('2 people').waitFor());
    await ada.locator('.tile .who', { hasText: 'Grace Hopper' }).waitFor();
    await grace.locator('.tile .who', { hasText: 'Ada Lovelace' }).waitFor();
    assert.ok(!grace.url().includes('#'), 'the spent invite has left the address bar');
  });

  house.test('with the relay-only switch on, both selected candidates are relayed on both sides', async () => {
    await both((page) => untilPair(page, 'a relayed pair', relayed));
    // Each side has a relayed address per interface; which pair is best is settled within moments.
    const where = (end) => `${end.candidateType} ${end.address}:${end.port}`;
    const [a] = await until('both sides to agree on one relayed pair', async () => {
      const [one, other] = await both(measure);
      const mirrored = where(one.local) === where(other.remote) && where(other.local) === where(one.remote);
      return mirrored && relayed(one.local.candidateType, one.remote.candidateType) ? [one, other] : undefined;
    });
    const server = a.local.url ?? '';
    // Over UDP as a rule; on a busy machine TCP may have been faster.
    const ours = [...house.server.udp, ...house.server.tcp];
    assert.ok(ours.some((one) => server.includes(one)), `relayed by ${server}, not by ${ours}`);
  });

  house.test('more than 30 video frames are decoded on both sides, and their number grows; audio arrives', async () => {
    await both((page) => until('more than 30 frames', async () => ((await measure(page))?.frames ?? 0) > 30));
    await both((page) => untilFrames(page, 15));
    const packets = await both(async (page) => (await measure(page)).audioPackets);
    assert.ok(packets.every((count) => count > 20), `audio packets: ${packets}`);
    // Decoded and also shown: the element plays and has a picture.
    const shown = await both((page) => page.locator('#tiles video').evaluate((video) => !video.paused && video.videoWidth > 0));
    assert.deepEqual(shown, [true, true]);
  });

  house.test('one hundred numbered messages over the data channel come back in order, from either side', async () => {
    for (const page of [ada, grace]) {
      await page.getByRole('button', { name: 'Test the data channel' }).click();
      await page.getByText('100 of 100 echoes in order').waitFor();
    }
    await house.shot(ada, brief ? 'call-ipv6' : 'call');
    await house.shot(grace, brief ? 'call-ipv6-dark' : 'call-dark');
  });

  if (!brief) {
    whatPeopleDo(house, () => ({ ada, grace }));
    whatNetworksDo(house, () => ({ ada, grace }));
  }

  house.test('leaving is seen by the other side', async () => {
    await grace.getByRole('button', { name: 'Leave' }).click();
    await grace.getByRole('heading', { name: 'You left the call' }).waitFor();
    await ada.getByText('Grace Hopper left the call').waitFor();
    await ada.getByText('Only you').waitFor();
    assert.equal(await ada.locator('#tiles .tile').count(), 0);
    const states = await both((page) => page.evaluate(() => window.seen.connections.map((one) => one.connectionState)));
    assert.ok(states.flat().every((state) => state === 'closed'), `connections left open: ${states}`);
    await house.shot(grace, 'left');
  });

  house.test('no page complained', () => house.closePages());
}

/** @param {any} house @param {() => {ada: any, grace: any}} people */
function whatPeopleDo(house, people) {
  house.test('the page says in words and numbers which pair carries the call', async () => {
    const { ada } = people();
    const line = ada.locator('#paths li');
    const words = await until('the path line with the selected pair and its rates', async () => {
      const { local, remote } = await measure(ada);
      const now = await line.innerText();
      const pair = `relay ${local.address}:${local.port} ⇄ relay ${remote.address}:${remote.port}`;
      return now.includes(pair) && /[kM]bit\/s/.test(now) ? now : undefined;
    });
    assert.match(words, /Relayed both ways/);
    assert.match(words, /UDP( \(TCP to the relay\))?, [\d.]+ ms round trip, [\d.]+ [kM]bit\/s up, [\d.]+ [kM]bit\/s down/);
  });

  house.test('chat goes both ways', async () => {
    const { ada, grace } = people();
    await ada.getByRole('button', { name: 'Chat' }).click();
    await ada.getByLabel('Message', { exact: true }).fill('Can you <b>read</b> this?');
    await ada.keyboard.press('Enter');
    await grace.locator('.notice', { hasText: 'Can you <b>read</b> this?' }).waitFor();
    assert.equal(await grace.locator('#chat-unread').innerText(), '1');
    await grace.keyboard.press('c');
    await grace.locator('#chat-log li', { hasText: 'Can you <b>read</b> this?' }).waitFor();
    await grace.getByLabel('Message', { exact: true }).fill('Loud and clear.');
    await grace.getByRole('button', { name: 'Send', exact: true }).click();
    await ada.locator('#chat-log li', { hasText: 'Loud and clear.' }).waitFor();
    await house.shot(ada, 'chat');
    await both(people, (page) => page.keyboard.press('Escape'));
    await both(people, (page) => page.locator('#chat').waitFor({ state: 'hidden' }));
  });

  house.test('microphone and camera switches reach the other side, and back', async () => {
    const { ada, grace } = people();
    const tile = ada.locator('#tiles .tile');
    await grace.getByRole('button', { name: 'Microphone' }).click();
    await tile.getByText('muted').waitFor();
    assert.equal(await grace.locator('#call-mic').getAttribute('aria-pressed'), 'false');
    await grace.getByRole('button', { name: 'Camera' }).click();
    await until('the tile without a picture', async () => /\boff\b/.test(await tile.getAttribute('class')));
    await house.shot(ada, 'muted');
    await house.shot(grace, 'muted-dark');
    const still = (await measure(ada)).frames;
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.ok((await measure(ada)).frames - still < 8, 'a camera that is off sends no picture');
    await grace.getByRole('button', { name: 'Camera' }).click();
    await grace.getByRole('button', { name: 'Microphone' }).click();
    await tile.getByText('muted').waitFor({ state: 'hidden' });
    await until('the picture', async () => !/\boff\b/.test(await tile.getAttribute('class')));
    await untilFrames(ada, 10);
  });
}

/** @param {any} house @param {() => {ada: any, grace: any}} people */
function whatNetworksDo(house, people) {
  house.test('relay-only switched off in the call finds a direct path; switched on again, the relay', async () => {
    await both(people, (page) => page.locator('#call-relay').setChecked(false));
    await both(people, (page) => untilPair(page, 'a direct pair', (local, remote) => local !== 'relay' && remote !== 'relay'));
    await both(people, (page) => untilFrames(page, 10));
    await both(people, (page) => page.locator('#paths').getByText('Direct').waitFor());
    await house.shot(people().ada, 'direct');
    await both(people, (page) => page.locator('#call-relay').setChecked(true));
    await both(people, (page) => untilPair(page, 'a relayed pair', relayed));
    await both(people, (page) => untilFrames(page, 10));
  });

  house.test('a reload keeps the seat', async () => {
    const { ada, grace } = people();
    await grace.reload();
    await grace.locator('#view-call').waitFor();
    await both(people, (page) => untilPair(page, 'a relayed pair', relayed));
    await both(people, (page) => untilFrames(page, 15));
    await both(people, (page) => page.getByText('2 people').waitFor());
    await ada.locator('.tile .who', { hasText: 'Grace Hopper' }).waitFor();
  });
}

const both = (people, run) => Promise.all(Object.values(people()).map(run));
