// People the server knows: signing in, their rooms, and signing out.

import assert from 'node:assert/strict';
import { faint, sideways, tiny, unnamed } from './checks.mjs';
import { copyInvite, join, until } from './pages.mjs';

const PASSWORD = 'a password of some length';

/** @param {any} house */
export function account(house) {
  let ada;
  const signIn = async (page, name, password) => {
    await page.locator('#signin-name').fill(name);
    await page.locator('#signin-password').fill(password);
    await page.locator('#signin-go').click();
  };
  const sound = async (page) => {
    for (const check of [unnamed, faint, sideways, tiny]) assert.deepEqual(await page.evaluate(check), [], check.name);
  };

  house.test('who may not make rooms is asked to sign in; a wrong password is told so', async () => {
    await house.server.command(['users', 'add', 'ada', '--password-stdin'], PASSWORD);
    ada = await house.open({ expect: /status of 401/, width: 390, height: 780 });
    await ada.goto(house.origin);
    await ada.getByRole('button', { name: 'Make a room' }).click();
    await ada.getByRole('heading', { name: 'Sign in' }).waitFor();
    await ada.getByText('are made by people who are signed in, or with a creator link').waitFor();
    await signIn(ada, 'ada', 'not the password at all');
    await ada.getByText('Name or password is wrong.').waitFor();
    await house.shot(ada, 'sign-in-phone');
    await sound(ada);
  });

  house.test('signed in, a room is made, has a name on its host, and stands in the list of their own', async () => {
    await signIn(ada, 'ada', PASSWORD);
    await ada.getByText('Signed in as ada').waitFor();
    await ada.getByText('None yet.').waitFor();
    await ada.locator('#start-name').fill('Ada Lovelace');
    await ada.getByText('Room options').click();
    await ada.locator('#start-room').fill('Tea at four');
    await ada.locator('#start-lobby').setChecked(true);
    await ada.locator('#start-capacity').fill('4');
    await house.shot(ada, 'room-options-phone');
    await sound(ada);
    await ada.getByRole('button', { name: 'Make a room' }).click();
    await ada.getByRole('heading', { name: 'Tea at four' }).waitFor();
    const link = await copyInvite(ada);
    const grace = await house.open();
    await join(grace, link);
    await ada.getByRole('button', { name: 'Let in' }).click();
    await grace.locator('.tile .who', { hasText: 'Ada Lovelace' }).waitFor();
    const told = await ada.evaluate(async () => {
      const { room, ticket } = JSON.parse(sessionStorage.getItem('relayhouse.seat'));
      const answer = await fetch(`/api/v1/rooms/${room.id}/participants`, { headers: { authorization: `Bearer ${ticket}` } });
      return (await answer.json()).participants?.map((one) => one.name).sort();
    });
    assert.deepEqual(told, ['Ada Lovelace', 'Grace Hopper']);
    await grace.getByRole('button', { name: 'Leave' }).click();
  });

  house.test('a reload keeps them signed in; their room is entered again, and closed', async () => {
    await ada.getByRole('button', { name: 'Leave' }).click();
    await ada.getByRole('button', { name: 'Start a new call' }).click();
    await ada.reload();
    await ada.getByText('Signed in as ada').waitFor();
    const room = ada.locator('#rooms-list li', { hasText: 'Tea at four' });
    await room.getByText('lobby').waitFor();
    await house.shot(ada, 'rooms-phone');
    await sound(ada);
    await room.getByRole('button', { name: 'Enter' }).click();
    await ada.locator('#view-call').waitFor();
    assert.equal(await ada.locator('#call-invite').isVisible(), true, 'as a host');
    await ada.getByRole('button', { name: 'Leave' }).click();
    await ada.getByRole('button', { name: 'Start a new call' }).click();
    await room.getByRole('button', { name: 'Close' }).click();
    await ada.getByRole('button', { name: 'Close it' }).click();
    await ada.getByText('None yet.').waitFor();
  });

  house.test('an access token that ended is renewed without a word', async () => {
    await ada.evaluate(() => {
      const session = JSON.parse(sessionStorage.getItem('relayhouse.account'));
      sessionStorage.setItem('relayhouse.account', JSON.stringify({ ...session, expiresAt: 0, accessToken: 'ended' }));
    });
    await ada.reload();
    await ada.getByText('None yet.').waitFor();
    const now = await ada.evaluate(() => JSON.parse(sessionStorage.getItem('relayhouse.account')));
    assert.ok(now.expiresAt > Date.now() / 1000 && now.accessToken !== 'ended');
  });

  house.test('whoever was removed meanwhile is signed out; signing out forgets', async () => {
    await ada.getByRole('button', { name: 'Sign out' }).click();
    await ada.getByRole('button', { name: 'Sign in' }).waitFor();
    assert.equal(await ada.evaluate(() => sessionStorage.getItem('relayhouse.account')), null);
    await ada.getByRole('button', { name: 'Sign in' }).click();
    await signIn(ada, 'ada', PASSWORD);
    await ada.getByText('Signed in as ada').waitFor();
    await house.server.command(['users', 'remove', 'ada']);
    await ada.getByRole('button', { name: 'Make a room' }).click();
    await until('to be signed out', async () => (await ada.evaluate(() => sessionStorage.getItem('relayhouse.account'))) === null);
    await ada.getByRole('heading', { name: 'Sign in' }).waitFor();
    await ada.getByText('You were signed out').waitFor();
    await house.closePages();
  });
}
