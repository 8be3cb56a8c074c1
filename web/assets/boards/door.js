// The door of the operator's pages: sign in as a user, or with an API key.

import { RelayhouseError } from '../../sdk.js';
import { button, el, input, show } from '../ui/dom.js';
import { keep } from '../ui/keep.js';
import { signIn, signOut } from './house.js';

/**
 * Sets the form up. `enter` tries what the page needs, and fails when the proof does not do.
 * @param {{enter: () => Promise<void>, notAllowed: string}} page `notAllowed`: what is said to somebody who is known, and may not
 */
export function setUpDoor({ enter, notAllowed }) {
  /** @param {RelayhouseError} wrong */
  const words = ({ code, status, message }) => {
    if (code === 'invalid_token') return 'This key is not accepted: it was mistyped, revoked, or has ended.';
    return status === 403 ? notAllowed : message;
  };
  el('door-form').addEventListener('submit', async (event) => {
    event.preventDefault();
    el('door-wrong').textContent = '';
    const key = input('door-key').value.trim();
    const [name, password] = [input('door-name').value.trim(), input('door-password').value];
    if (!key && !(name && password)) {
      el('door-wrong').textContent = 'A user name and a password are needed, or an API key.';
      input('door-name').focus();
      return;
    }
    button('door-go').disabled = true;
    let isIn = false;
    try {
      if (key) keep.key = key;
      else await signIn(name, password);
      isIn = !key;
      await enter();
      for (const id of ['door-key', 'door-password']) input(id).value = '';
    } catch (wrong) {
      if (!(wrong instanceof RelayhouseError)) throw wrong;
      // What does not do here is forgotten; what was there before stays.
      keep.key = undefined;
      if (isIn) await signOut();
      el('door-wrong').textContent = words(wrong);
      input(key ? 'door-key' : 'door-password').select();
    } finally {
      button('door-go').disabled = false;
    }
  });
}

/** @param {string} [why] */
export function showDoor(why = '') {
  el('door-wrong').textContent = why;
  show('door');
}
