// What a host decides: who comes in, who goes, who comes no more.

import assert from 'node:assert/strict';
import { copyInvite, join, makeRoom, until, untilFrames } from './pages.mjs';

/** @param {any} house */
export function lobby(house) {
  let ada;
  const knock = async (name, how) => {
    const guest = await house.open(how);
    await join(guest, await copyInvite(ada), { name });
    return guest;
  };

  house.test('in a room with a lobby a guest waits, and the host sees who', async () => {
    ada = await house.open();
    await makeRoom(ada, house.origin, { room: 'Tea at four', lobby: true });
    await ada.getByRole('heading', { name: 'Tea at four' }).waitFor();
    const grace = await knock('Grace Hopper', { dark: true, width: 390, height: 780 });
    await grace.getByRole('heading', { name: 'Waiting for the host' }).waitFor();
    await ada.getByText('Grace Hopper would like to come in').waitFor();
    assert.equal(await ada.locator('#people-badge').innerText(), '1');
    const alan = await knock('Alan Turing');
    await alan.getByRole('heading', { name: 'Waiting for the host' }).waitFor();
    await ada.getByRole('button', { name: 'People' }).click();
    await ada.locator('#lobby-list li').nth(1).waitFor();
    assert.deepEqual(await ada.locator('#lobby-list b').allInnerTexts(), ['Grace Hopper', 'Alan Turing']);
    await house.shot(grace, 'lobby-waiting-phone');
    await house.shot(ada, 'lobby-host');
  });

  house.test('a guest who is let in is in the call; one who is refused is told so', async () => {
    const [, grace, alan] = house.pages;
    await ada.getByRole('button', { name: 'Let Grace Hopper in' }).click();
    await untilFrames(grace, 10);
    await ada.locator('#people-list li', { hasText: 'Grace Hopper' }).waitFor();
    await ada.getByRole('button', { name: 'Refuse Alan Turing' }).click();
    await alan.getByRole('heading', { name: 'You were not let in' }).waitFor();
    await alan.getByText('The host did not let you in').waitFor();
    await house.shot(alan, 'denied');
    await ada.locator('#lobby').waitFor({ state: 'hidden' });
    await ada.locator('#people-badge').waitFor({ state: 'hidden' });
  });

  house.test('a guest who gives up is not waiting any more', async () => {
    const bored = await knock('Barbara');
    await ada.locator('#lobby-list li', { hasText: 'Barbara' }).waitFor();
    await bored.getByRole('button', { name: 'Leave' }).click();
    await bored.getByRole('heading', { name: 'Start a call' }).waitFor();
    await ada.locator('#lobby').waitFor({ state: 'hidden' });
    assert.equal(await ada.locator('.notice', { hasText: 'Barbara' }).count(), 0);
  });

  house.test('several who wait are let in at once', async () => {
    await Promise.all((await Promise.all([knock('Edsger')])).concat(await knock('Ada B.')));
    await ada.locator('#lobby-list li').nth(1).waitFor();
    await ada.getByRole('button', { name: 'Let all in' }).click();
    await ada.getByText('4 people').waitFor();
    for (const page of house.pages.splice(4)) await page.context().close();
  });

  house.test('a locked room lets nobody in, and says so to all; unlocked it does again', async () => {
    const [, grace] = house.pages;
    const link = await copyInvite(ada);
    await ada.locator('#room-lock').setChecked(true);
    for (const page of [ada, grace]) await page.locator('#call-locked').waitFor();
    const late = await house.open();
    await join(late, link, { name: 'Late' });
    await late.getByText('The room is locked').waitFor();
    await house.shot(ada, 'locked');
    await ada.locator('#room-lock').setChecked(false);
    for (const page of [ada, grace]) await page.locator('#call-locked').waitFor({ state: 'hidden' });
    await late.getByRole('button', { name: 'Try again' }).click();
    await late.getByRole('heading', { name: 'Waiting for the host' }).waitFor();
    await ada.getByRole('button', { name: 'Refuse Late' }).click();
  });

  house.test('whom the host removes is out, is told so, and cannot come back', async () => {
    const [, grace] = house.pages;
    assert.equal(await grace.getByRole('button', { name: /^Remove/ }).count(), 0, 'guests remove nobody');
    await ada.getByRole('button', { name: 'Remove Grace Hopper' }).click();
    await ada.getByRole('heading', { name: 'Remove Grace Hopper?' }).waitFor();
    await house.shot(ada, 'remove');
    const ticket = await grace.evaluate(() => JSON.parse(sessionStorage.getItem('relayhouse.seat')));
    await ada.getByRole('button', { name: 'Remove', exact: true }).click();
    await grace.getByRole('heading', { name: 'You were removed' }).waitFor();
    await until('her tile to go', async () => (await ada.locator('#tiles .who', { hasText: 'Grace' }).count()) === 0);
    await grace.evaluate((seat) => sessionStorage.setItem('relayhouse.seat', JSON.stringify(seat)), ticket);
    await grace.reload();
    await grace.getByText('The host removed you from the room').waitFor();
    await house.closePages();
  });
}
