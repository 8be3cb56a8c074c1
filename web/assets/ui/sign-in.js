// Signing in and out. Shared by all pages: a page has the elements `account…` and the view `signin`.

import { explain } from '../../sdk.js';
import { button, el, input, show } from './dom.js';
import { keep } from './keep.js';
import { notify } from './notices.js';

/** @typedef {import('../../sdk.js').Relayhouse} Relayhouse */

/**
 * @param {object} given
 * @param {Relayhouse} given.house takes up the session this tab had
 * @param {() => void} given.done signed in, or thought better of it
 * @param {() => void} [given.over] the session ended
 */
export function setUpSignIn({ house, done, over = () => {} }) {
  house.session = keep.account;
  house.on('session', (session) => {
    keep.account = session ?? undefined;
    drawAccount(house);
    if (!session) over();
  });
  el('account-in').addEventListener('click', () => askToSignIn());
  el('account-out').addEventListener('click', async () => {
    await house.logout().catch(() => { /* this tab has forgotten the tokens anyway */ });
    notify('You are signed out.', { key: 'account' });
  });
  el('signin-back').addEventListener('click', done);
  el('signin-form').addEventListener('submit', (event) => {
    event.preventDefault();
    signIn(house, done);
  });
  drawAccount(house);
}

/** @param {Relayhouse} house @param {() => void} done */
async function signIn(house, done) {
  el('signin-wrong').textContent = '';
  button('signin-go').disabled = true;
  try {
    const { user } = await house.login(input('signin-name').value.trim(), input('signin-password').value);
    if (!keep.choices.name) keep.choices = { ...keep.choices, name: user.name };
    input('signin-password').value = '';
    done();
  } catch (wrong) {
    el('signin-wrong').textContent = explain(/** @type {Error} */ (wrong));
    input('signin-password').select();
  } finally {
    button('signin-go').disabled = false;
  }
}

/** @param {string} [why] a sentence; the usual one without */
export function askToSignIn(why = 'Your rooms stay yours: you come in again without an invite, from any device.') {
  el('signin-why').textContent = why;
  el('signin-wrong').textContent = '';
  show('signin');
  input('signin-name').focus();
}

/** @param {Relayhouse} house */
export function drawAccount(house) {
  const user = house.session?.user;
  el('account').hidden = !user;
  el('account-in').hidden = Boolean(user);
  el('account-name').textContent = user ? `Signed in as ${user.name}` : '';
}
