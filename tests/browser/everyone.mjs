// People without a mouse, with a small screen, with other eyes, or without a camera; more than two people.

import assert from 'node:assert/strict';
import { faint, sideways, tiny, unnamed } from './checks.mjs';
import { copyInvite, join, makeRoom, measure, noDevices, until, untilFrames } from './pages.mjs';

/** @param {any} house */
export function everyone(house) {
  const sound = async (page, where) => {
    for (const check of [unnamed, faint, sideways, tiny]) {
      assert.deepEqual(await page.evaluate(check), [], `${check.name}: ${where}`);
    }
  };

  for (const dark of [false, true]) {
    const look = dark ? 'dark' : 'light';
    house.test(`every view is named, readable and fits 360 px, ${look}`, async () => {
      const small = { width: 360, height: 740, dark };
      const ada = await house.open(small);
      const grace = await house.open(small);
      const check = async (page, name) => {
        await house.shot(page, `${name}-360-${look}`);
        await sound(page, name);
      };
      await ada.goto(house.origin);
      await ada.locator('#view-start').waitFor();
      await check(ada, 'start');
      await makeRoom(ada, house.origin, { name: 'A name that is longer than a phone is wide, and then some' });
      const link = await copyInvite(ada);
      await check(ada, 'invited');
      await grace.goto(link);
      await until('the preview', () => grace.locator('#join-video').evaluate((video) => video.videoWidth > 0));
      await check(grace, 'join');
      await join(grace, link);
      await grace.locator('#paths .up').waitFor();
      await ada.locator('#paths .up .numbers').filter({ hasText: 'down' }).waitFor();
      await check(ada, 'call');
      await grace.getByRole('button', { name: 'Camera' }).click();
      await grace.getByRole('button', { name: 'Chat' }).click();
      await grace.getByLabel('Message', { exact: true }).fill('word'.repeat(60));
      await grace.keyboard.press('Enter');
      await grace.locator('#chat-log li').waitFor();
      await check(grace, 'chat');
      await grace.keyboard.press('Escape');
      await grace.keyboard.press('?');
      await grace.getByRole('heading', { name: 'Keyboard' }).waitFor();
      await check(grace, 'keys');
      await grace.keyboard.press('Escape');
      await grace.getByRole('button', { name: 'Settings' }).click();
      await until('the devices', () => grace.locator('#settings-audio option').evaluateAll((all) => all.length > 1));
      await check(grace, 'settings');
      await grace.getByRole('button', { name: 'Done' }).click();
      await grace.getByRole('button', { name: 'People' }).click();
      await check(grace, 'people');
      await grace.keyboard.press('Escape');
      await grace.getByRole('button', { name: 'Leave' }).click();
      await grace.getByRole('heading', { name: 'You left the call' }).waitFor();
      await check(grace, 'left');
      await house.closePages();
    });
  }

  house.test('a whole call with the keyboard alone', async () => {
    const ada = await house.open();
    const grace = await house.open();
    const tabTo = (page, id) => until(`focus on ${id}`, async () => {
      await page.keyboard.press('Tab');
      return page.evaluate((wanted) => document.activeElement?.id === wanted, id);
    });
    await ada.goto(house.origin);
    await ada.locator('#view-start').waitFor();
    await tabTo(ada, 'start-name');
    await ada.keyboard.type('Ada');
    await tabTo(ada, 'start-relay');
    await ada.keyboard.press('Space');
    assert.notEqual(await ada.locator('#start-relay + .track').evaluate((track) => getComputedStyle(track).outlineStyle), 'none', 'focus is seen');
    await tabTo(ada, 'start-go');
    await ada.keyboard.press('Enter');
    await ada.locator('#view-call').waitFor();
    await ada.keyboard.press('i');
    const link = await until('the link', async () => (await ada.locator('#invite-link').inputValue()) || undefined);

    await grace.goto(link);
    await grace.locator('#view-join').waitFor();
    await tabTo(grace, 'join-name');
    await grace.keyboard.type('Grace mv');
    await grace.keyboard.press('Enter');
    await grace.locator('#paths .up').waitFor();
    assert.equal(await grace.locator('#call-mic').getAttribute('aria-pressed'), 'true', 'letters typed in a field switch nothing');
    await grace.keyboard.press('m');
    await ada.locator('#tiles').getByText('muted').waitFor();
    await grace.keyboard.press('v');
    await until('the camera off', async () => /\boff\b/.test(await ada.locator('#tiles .tile').getAttribute('class')));
    await tabTo(grace, 'call-leave');
    await grace.keyboard.press('Enter');
    await ada.getByText('Grace mv left the call').waitFor();
    assert.equal(await grace.evaluate(() => document.activeElement?.id), 'ended-title', 'the focus moves to the new view');
    await house.closePages();
  });

  for (const [why, name, words] of [['no camera and microphone', 'NotFoundError', 'No camera or microphone found'], ['permission denied', 'NotAllowedError', 'may not use your camera and microphone']]) {
    house.test(`with ${why}, a guest still joins, sees, hears and writes`, async () => {
      const ada = await house.open();
      const grace = await house.open({ before: name === 'NotFoundError' ? noDevices : noPermission });
      await makeRoom(ada, house.origin);
      const link = await copyInvite(ada);
      await grace.goto(link);
      await grace.locator('#join-devices', { hasText: words }).waitFor();
      await house.shot(grace, `join-${name}`);
      await join(grace, link);
      await untilFrames(grace, 30);
      assert.ok((await measure(grace)).audioPackets > 20);
      await grace.getByRole('button', { name: 'Chat' }).click();
      await grace.getByLabel('Message', { exact: true }).fill('I can only write.');
      await grace.keyboard.press('Enter');
      await ada.locator('.notice', { hasText: 'I can only write.' }).waitFor();
      await ada.locator('#tiles').getByText('muted').waitFor();
      await house.closePages();
    });
  }
}

function noPermission() {
  navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', 'NotAllowedError'); };
}
