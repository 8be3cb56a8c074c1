// What the relay refused: how often for which reason, and the last ones with the server's own sentence.

import { make, part } from '../ui/dom.js';
import { follow } from './list.js';
import { clock, count } from './numbers.js';

/** What a STUN error code means for who looks after the server. @type {Record<number, string>} */
const REASONS = {
  300: 'sent to another server', 400: 'malformed request', 401: 'wrong or expired credential', 403: 'peer not allowed',
  405: 'method not allowed', 420: 'unknown attribute', 437: 'no such allocation', 438: 'stale nonce', 440: 'address family not served',
  441: 'allocation of another user', 442: 'transport not served', 443: 'peer of another family', 446: 'connection exists', 447: 'peer not reached',
  486: 'quota reached', 500: 'server error', 508: 'out of ports or capacity',
};

/** @param {number} code */
export const reasonOf = (code) => (code ? `${code} ${REASONS[code] ?? 'refused'}` : 'other');

/** @typedef {{code: number, count: number}} Reason */
/** @typedef {{at: number, method: string, code: number, why: string, client: string, transport: string, username?: string}} Refusal */

/** @param {HTMLElement} list @returns {(all: Reason[]) => void} */
export function reasonList(list) {
  const draws = follow(list, (/** @type {Reason} */ { code }) => String(code), ({ code }) => make('li', {}, make('span', { text: reasonOf(code) }), make('b')),
    (row, one) => { part(row, 'b').textContent = count(one.count); });
  return (all) => draws(all.filter((one) => one.count > 0).toSorted((one, other) => other.count - one.count));
}

/** An address without its port. @param {string} client */
const hostOf = (client) => client.replace(/:\d+$/, '');

/** What differs in nothing but its time and port is one line. @param {Refusal[]} all the newest first */
function gathered(all) {
  /** @type {Map<string, Refusal & {key: string, times: number}>} */ const lines = new Map();
  for (const one of all) {
    const key = JSON.stringify([hostOf(one.client), one.transport, one.method, one.code, one.why, one.username]);
    const line = lines.get(key);
    if (line) line.times += 1;
    else lines.set(key, { ...one, key, times: 1 });
  }
  return [...lines.values()];
}

/** @param {HTMLElement} list @returns {(all: Refusal[]) => void} the newest first */
export function refusalList(list) {
  const build = (/** @type {Refusal} */ one) => make('li', {}, make('small'),
    make('span', { class: 'said' }, make('b', { text: reasonOf(one.code) }), `: ${one.why}`),
    make('small', {}, make('bdi', { text: one.username ?? 'no user name' }), ` from ${hostOf(one.client)}`));
  const draws = follow(list, (/** @type {ReturnType<typeof gathered>[number]} */ one) => one.key, build, (row, one) => {
    const times = one.times > 1 ? `, ${count(one.times)} times` : '';
    part(row, 'small').textContent = `${clock(one.at)} · ${one.transport.toUpperCase()} · ${one.method.replaceAll('_', ' ')}${times}`;
  });
  return (all) => draws(gathered(all));
}
