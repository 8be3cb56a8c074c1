// The server, as the operator's pages speak to it: with a key that was typed in, or in the name of who is signed in.
// The account is the call page's own: whoever is signed in there is signed in here.

import { Relayhouse } from '../../sdk.js';
import { keep } from '../ui/keep.js';

export const house = new Relayhouse();
house.session = keep.account;
house.on('session', (session) => { keep.account = session ?? undefined; });

/** Whether there is anything to show the server. */
export const isKnown = () => Boolean(keep.key || house.session);

/** @param {string} name @param {string} password */
export async function signIn(name, password) {
  await house.login(name, password);
  keep.key = undefined;
}

/** Forgets who is signed in, and the key. */
export async function signOut() {
  keep.key = undefined;
  await house.logout().catch(() => { /* this tab has forgotten the tokens anyway */ });
}

/** @param {string} method @param {string} path @param {object} [body] @returns {Promise<any>} */
export const ask = (method, path, body) => house.request(method, path, body, { token: keep.key });
