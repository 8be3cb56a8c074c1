// Files from person to person.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { copyInvite, join, makeRoom, noDevices, until } from './pages.mjs';

const MB = 1_000_000;
const ARRIVES_WITHIN_MS = 120_000;

/** @param {any} house */
export function files(house) {
  let ada; let grace;
  /** Hands a file to the page's picker; made in the page, since 50 MB do not fit through the driver. */
  const offer = (page, name, size, seed = 1) => page.evaluate(async ([called, bytes, first]) => {
    const data = new Uint8Array(bytes);
    for (let at = 0, x = first; at < bytes; at += 1) { x = (Math.imul(x, 1_103_515_245) + 12_345) >>> 0; data[at] = x >>> 16; }
    const picked = new DataTransfer();
    picked.items.add(new File([data], called));
    const picker = document.getElementById('chat-file');
    picker.files = picked.files;
    picker.dispatchEvent(new Event('change'));
    const digest = await crypto.subtle.digest('SHA-256', data);
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }, [name, size, seed]);
  const cardOf = (page, name) => page.locator('#chat-log .card', { hasText: name });
  /** Presses "Save" and looks at what the browser put on the disk. */
  const saved = async (page, name) => {
    const link = page.getByRole('link', { name: `Save ${name}` });
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
    const data = await readFile(await download.path());
    return { size: data.length, name: download.suggestedFilename(), said: await link.getAttribute('data-sha256'), sha256: createHash('sha256').update(data).digest('hex') };
  };

  house.test('a file of 50 MB arrives whole through the relay, with its progress told and its name kept', async () => {
    // Without pictures the machine has its hands free.
    [ada, grace] = [await house.open({ before: noDevices }), await house.open({ before: noDevices })];
    await makeRoom(ada, house.origin);
    await join(grace, await copyInvite(ada));
    for (const page of [ada, grace]) await page.locator('#paths .up').waitFor();
    for (const page of [ada, grace]) await page.locator('.notice', { hasText: 'No camera' }).getByRole('button', { name: 'Dismiss' }).click();
    const sent = await offer(ada, 'holiday film.mp4', 50 * MB);
    await grace.locator('.notice', { hasText: 'Ada Lovelace sends holiday film.mp4 (50 MB)' }).waitFor();
    await grace.getByRole('button', { name: 'Chat' }).click();
    await house.shot(grace, 'file-offered');
    await grace.locator('#chat-log').getByRole('button', { name: 'Accept holiday film.mp4' }).click();
    const card = cardOf(grace, 'holiday film.mp4');
    await until('progress on its way', async () => Number(await card.locator('progress').getAttribute('value')) > 2 * MB, ARRIVES_WITHIN_MS);
    await ada.getByRole('button', { name: 'Chat' }).click();
    await house.shot(ada, 'file-moving');
    await house.shot(grace, 'file-arriving');
    await card.getByText('Arrived whole').waitFor({ timeout: ARRIVES_WITHIN_MS });
    await cardOf(ada, 'holiday film.mp4').getByText('Delivered').waitFor();
    const got = await saved(grace, 'holiday film.mp4');
    assert.deepEqual(got, { size: 50 * MB, name: 'holiday film.mp4', said: sent, sha256: sent });
    await house.shot(grace, 'file-arrived');
  });

  house.test('the channel is never filled beyond its bound while a file goes out', async () => {
    await ada.evaluate(() => {
      const send = RTCDataChannel.prototype.send;
      window.fullest = 0;
      RTCDataChannel.prototype.send = function watched(data) { send.call(this, data); window.fullest = Math.max(window.fullest, this.bufferedAmount); };
    });
    await offer(ada, 'bounded.bin', 12 * MB, 5);
    await grace.locator('#chat-log').getByRole('button', { name: 'Accept bounded.bin' }).click();
    await cardOf(ada, 'bounded.bin').getByText('Delivered').waitFor({ timeout: ARRIVES_WITHIN_MS });
    const fullest = await ada.evaluate(() => window.fullest);
    assert.ok(fullest > 2 ** 19 && fullest <= 2 ** 20 + 2 ** 16, `at most ${fullest} bytes waited in the channel`);
  });

  for (const [who, other] of [['receiver', 'sender'], ['sender', 'receiver']]) {
    house.test(`a file that the ${who} cancels on its way ends on both sides`, async () => {
      const name = `${who} cancels.bin`;
      const page = (one) => (one === 'sender' ? ada : grace);
      await offer(ada, name, 40 * MB, 9);
      await grace.locator('#chat-log').getByRole('button', { name: `Accept ${name}` }).click();
      await until('some of it', async () => Number(await cardOf(grace, name).locator('progress').getAttribute('value')) > MB);
      await page(who).locator('#chat-log').getByRole('button', { name: `Cancel ${name}` }).click();
      for (const one of [who, other]) await cardOf(page(one), name).getByText('Cancelled').waitFor();
      assert.equal(await grace.getByRole('link', { name: `Save ${name}` }).count(), 0);
    });
  }

  house.test('a file that is refused is not sent, and its sender is told', async () => {
    await offer(grace, 'no thanks.txt', 10);
    await ada.locator('#chat-log').getByRole('button', { name: 'Refuse no thanks.txt' }).click();
    await cardOf(grace, 'no thanks.txt').getByText('They refused it').waitFor();
  });

  house.test('an empty file and one whose name is a path arrive as what they are', async () => {
    await offer(grace, '../../etc/passwd', 0);
    const card = cardOf(ada, 'passwd');
    await card.getByRole('button', { name: 'Accept' }).click();
    await card.getByText('Arrived whole').waitFor();
    const link = card.getByRole('link');
    assert.equal(await link.getAttribute('download'), '__.._etc_passwd');
    assert.equal(await link.getAttribute('data-sha256'), createHash('sha256').update('').digest('hex'));
  });

  house.test('a file outlives a connection that is built anew', async () => {
    const sent = await offer(ada, 'long way.bin', 16 * MB, 3);
    await grace.locator('#chat-log').getByRole('button', { name: 'Accept long way.bin' }).click();
    const card = cardOf(grace, 'long way.bin');
    await until('some of it', async () => Number(await card.locator('progress').getAttribute('value')) > 2 * MB);
    const before = await ada.evaluate(() => window.seen.connections.length);
    await ada.locator('#call-relay').setChecked(false);
    await card.getByText('Arrived whole').waitFor({ timeout: ARRIVES_WITHIN_MS });
    assert.ok(await ada.evaluate(() => window.seen.connections.length) > before, 'the connection was built anew');
    assert.equal((await saved(grace, 'long way.bin')).sha256, sent);
  });

  house.test('a file too big for the other side is refused before a byte of it moves', async () => {
    const told = await ada.evaluate(async () => {
      const { Relayhouse } = await import('/sdk.js');
      const house = new Relayhouse();
      const { room, ticket } = await house.createRoom();
      const { invite } = await house.createInvite(room.id, { token: ticket });
      const host = await house.join({ ticket });
      const guest = await house.join({ invite, largestFile: 1000 });
      await new Promise((resolve) => { host.on('peer', (peer) => { if (peer.told) resolve(); }); });
      const [transfer] = host.sendFile(new Blob([new Uint8Array(1001)]), { name: 'big' });
      await new Promise((resolve) => { transfer.on('state', resolve); });
      host.leave();
      guest.leave();
      return { state: transfer.state, code: transfer.error.code, moved: transfer.moved };
    });
    assert.deepEqual(told, { state: 'declined', code: 'file_too_big', moved: 0 });
  });

  house.test('a person who leaves takes their files along, and both are told', async () => {
    await offer(ada, 'unfinished.bin', 40 * MB, 7);
    await grace.locator('#chat-log').getByRole('button', { name: 'Accept unfinished.bin' }).click();
    await until('some of it', async () => Number(await cardOf(grace, 'unfinished.bin').locator('progress').getAttribute('value')) > MB);
    await grace.getByRole('button', { name: 'Leave' }).click();
    await cardOf(ada, 'unfinished.bin').getByText('The other side left').waitFor();
    await house.closePages();
  });
}
