// What a try means, in plain words. Free of DOM.

import { NO_ANSWER, isStun } from './ways.js';

/** @typedef {import('./ways.js').Tried} Tried */
/** @typedef {import('./saw.js').Seen} Seen */
/** @typedef {{kind: 'good'|'bad'|'unsure', text: string, advice?: string, isPeerRefused?: boolean}} Verdict */

/** @param {string} url @returns {'IPv4'|'IPv6'|undefined} undefined for a name */
export function familyOf(url) {
  const host = url.replace(/^(stun|turn)s?:/i, '').replace(/\?.*$/, '');
  if (host.startsWith('[')) return 'IPv6';
  return /^\d+\.\d+\.\d+\.\d+(:\d+)?$/.test(host) ? 'IPv4' : undefined;
}

/** @param {string} url @returns {'udp'|'tcp'|'tls'} how a browser goes there */
export function transportOf(url) {
  if (/^(stun|turn)s:/i.test(url)) return 'tls';
  return /[?&]transport=tcp/i.test(url) ? 'tcp' : 'udp';
}

/** What each family came to, where a name has both. @param {string} url @param {Tried} tried @param {Seen[]} seen */
export function families(url, tried, seen) {
  const family = familyOf(url);
  if (!family && isNameless(tried)) return [];
  if (family) return [{ family, came: tried.reached }];
  const came = new Set(seen.map(({ client }) => (client.startsWith('[') ? 'IPv6' : 'IPv4')));
  return /** @type {const} */ (['IPv4', 'IPv6']).flatMap((one) => {
    if (came.has(one)) return [{ family: one, came: true }];
    return tried.errors.some(({ code, family: failed }) => failed === one && code === NO_ANSWER) ? [{ family: one, came: false }] : [];
  });
}

/** What is refused, by code, and what helps. @type {Record<number, [string, string]>} */
const REFUSED = {
  300: ['The server sends its clients elsewhere', ''],
  401: ['The credential is refused', 'Check that it was copied whole. If an application makes it, compare its secret with the server’s.'],
  403: ['The relay does not pass anything on to this peer', 'The server’s peers.allow and peers.deny say to whom it relays.'],
  438: ['The server asked for a fresh nonce again and again', 'Something between here and there changes this device’s address.'],
  441: ['The credential is not the one the allocation was opened with', ''],
  442: ['The server does not relay over this transport', ''],
  486: ['No allocation is left', 'Close other calls and try again in some minutes, or have the quota raised.'],
  508: ['The server has no room left', 'Try again in some minutes. Its operator looks at quota.allocations and at the port range.'],
};

/** Advice that fits the server's own sentence better than its code. @type {[RegExp, string][]} */
const BY_SENTENCE = [
  [/^expired /, 'Have a fresh one made. If this one is fresh, a clock is wrong: the server’s, or that of whoever makes credentials.'],
  [/secrets? (does not match|matches)|^made with the secret/, 'Whoever makes the credentials uses another secret than this server: compare the two.'],
  [/^no such user/, 'User names made by an application begin with the time at which they end: check that it was copied whole.'],
  [/used up/, 'Have a fresh one made.'],
  [/drains/, 'The server is being shut down for maintenance. Try again later.'],
];

/** @param {number} code @param {string|undefined} why the server's own sentence @param {string} [text] the browser's */
function refusal(code, why, text) {
  const [what, usual] = REFUSED[code] ?? [`The server refused with code ${code}`, ''];
  const advice = BY_SENTENCE.find(([words]) => words.test(why ?? ''))?.[1] ?? usual;
  const reason = why ?? (text ? `“${text}”, code ${code}` : `code ${code}`);
  return { text: `${what}: ${reason}.`, ...(advice ? { advice } : {}) };
}

/**
 * @param {import('./ways.js').Way} way @param {Tried} tried @param {Seen[]} seen what the server saw meanwhile
 * @returns {Verdict}
 */
export function judge({ url, peer }, tried, seen) {
  if (isStun(url)) {
    if (!tried.reached) return unreached(url, tried);
    return { kind: 'good', text: tried.mapped ? `Works: the server sees you as ${tried.mapped}.` : 'Works: the server answers.' };
  }
  const refused = seen.findLast(({ kind }) => kind === 'refused');
  const told = tried.errors.findLast(({ code }) => code !== NO_ANSWER);
  const code = refused?.code ?? told?.code;
  const why = code === undefined ? undefined : refusal(code, refused?.why, told?.text);
  if (tried.relayed.length === 0) return why ? { kind: 'bad', ...why } : unreached(url, tried);
  if (tried.isAlone) {
    const advice = 'That is one more than a call needs of each side: calls may work all the same.';
    return { kind: 'unsure', text: `Allocates, but the echo needs a second allocation. ${why?.text ?? 'It was not to be had.'}`, advice };
  }
  if (!tried.echo) {
    if (why) return { kind: 'bad', ...why, text: `Allocates, but relays nothing. ${why.text}` };
    const advice = 'A firewall in front of the server’s relay ports does this, or a wrong relay.external address.';
    return { kind: 'bad', text: 'Allocates, but nothing comes back through the relay.', advice };
  }
  const verdict = relayed(tried.echo);
  return peer && verdict.kind === 'good' ? withPeer(verdict, peer, seen) : verdict;
}

/** @param {Verdict} verdict a good one @param {string} peer @param {Seen[]} seen @returns {Verdict} */
function withPeer(verdict, peer, seen) {
  const denied = seen.find(({ code }) => code === 403);
  if (denied) return { kind: 'bad', text: `Relays, but not to ${peer}: ${denied.why}.`, isPeerRefused: true };
  if (seen.length === 0) return { kind: 'unsure', text: `${verdict.text} Whether it sends to ${peer}, only its operator knows.` };
  return { kind: 'good', text: `${verdict.text} It sends to ${peer} as well.` };
}

/** @param {import('./ways.js').Echo} echo @returns {Verdict} */
function relayed({ sent, back, medianMs }) {
  const lost = sent - back;
  if (back === 0) return { kind: 'bad', text: 'Allocates and connects, but every packet was lost.' };
  if (lost > sent / 20) return { kind: 'bad', text: `Relays, but ${lost} of ${sent} packets were lost: calls will stutter.`, advice: 'Try another network, or a cable in place of wireless.' };
  return { kind: 'good', text: `Works: ${lost === 0 ? 'nothing lost' : `${lost} of ${sent} packets lost`}, ${ms(medianMs)} there and back through the relay.` };
}

/** The browser's words for a name without an address. @param {Tried} tried */
const isNameless = ({ errors }) => errors.some(({ code, text }) => code === NO_ANSWER && /lookup|resolve/i.test(text));

/** @param {string} url @param {Tried} tried @returns {Verdict} */
function unreached(url, tried) {
  if (!familyOf(url) && isNameless(tried)) {
    return { kind: 'bad', text: 'No address was found for this name.', advice: 'Check its spelling, and that DNS knows it from this network.' };
  }
  const advice = 'If others reach it, a firewall on this network blocks it.';
  switch (transportOf(url)) {
    case 'tls': return { kind: 'bad', text: 'No answer over TLS: the port is closed or filtered, or the certificate is not one this browser trusts.', advice };
    case 'tcp': return { kind: 'bad', text: 'No answer over TCP: the port is closed or filtered.', advice };
    default: return { kind: 'bad', text: 'No answer over UDP: the port is closed, or a firewall on the way drops UDP.', advice: 'TCP or TLS may work all the same.' };
  }
}

/** @param {number} value milliseconds */
export const ms = (value) => (Number.isFinite(value) ? `${value < 10 ? value.toFixed(1) : Math.round(value)}\u00a0ms` : 'no time');

/** One sentence over all tries. @param {{url: string, verdict: Verdict}[]} tries @returns {Verdict} */
export function sum(tries) {
  if (tries.length === 0) return { kind: 'bad', text: 'There is nothing to test.' };
  const relays = tries.filter(({ url }) => !isStun(url));
  const working = relays.filter(({ verdict }) => verdict.kind === 'good');
  const isAll = tries.every(({ verdict }) => verdict.kind === 'good');
  if (relays.length === 0) return isAll ? { kind: 'good', text: 'Works. No relay was tested.' } : { kind: 'bad', text: 'The server does not answer, and no relay was tested.' };
  if (relays.some(({ verdict }) => verdict.isPeerRefused)) return { kind: 'bad', text: 'The relay works, but it does not send to that peer.' };
  if (working.length === 0) {
    if (relays.some(({ verdict }) => verdict.kind === 'unsure')) return { kind: 'unsure', text: 'The relay allocates; whether it relays could not be seen.' };
    return { kind: 'bad', text: 'No relay works from here: calls that need one will fail.' };
  }
  if (!working.some(({ url }) => transportOf(url) === 'udp')) {
    return { kind: 'unsure', text: 'The relay works, but not over UDP: calls will work, with more delay.' };
  }
  if (isAll) return { kind: 'good', text: 'Everything works. Calls will find their way through this server.' };
  return { kind: 'unsure', text: 'The relay works over UDP, but not every way does: people behind strict firewalls may not get through.' };
}
