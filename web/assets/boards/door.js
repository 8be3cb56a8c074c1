// The door of the operator's pages: sign in as a user, or with an API key.

import { el, input, show } from '../ui/dom.js';
import { CallFailed } from './client.js';

/** What to say when a sign-in fails. @param {CallFailed} wrong */
function words(wrong) {
  if (wrong.code === 'invalid_login') return 'Name or password is wrong.';
  if (wrong.code === 'rate_limited') return `Too many attempts. Wait ${wrong.retryAfter ?? 60} seconds and try again.`;
  if (wrong.code === 'invalid_token') return 'This key is not accepted.';
  if (wrong.status === 403) return 'This account is not an operator’s. `relayhouse users add --role admin` makes one.';
  return wrong.message;
}

/**
 * Sets the form up. `enter` tries what the page needs, and fails when the proof does not do.
 * @param {import('./client.js').Client} client @param {() => Promise<void>} enter
 */
export function setUpDoor(client, enter) {
  const button = /** @type {HTMLButtonElement} */ (el('door-go'));
  el('door-form').addEventListener('submit', async (event) => {
    event.preventDefault();
    el('door-wrong').textContent = '';
    button.disabled = true;
    try {
      const key = input('door-key').value.trim();
      if (key) client.use({ token: key });
      else await client.signIn(input('door-name').value.trim(), input('door-password').value);
      await enter();
      for (const id of ['door-key', 'door-password']) input(id).value = '';
    } catch (wrong) {
      if (!(wrong instanceof CallFailed)) throw wrong;
      client.use(undefined);
      el('door-wrong').textContent = words(wrong);
    }
    button.disabled = false;
  });
}

/** @param {string} [why] */
export function showDoor(why = '') {
  el('door-wrong').textContent = why;
  show('door');
}
