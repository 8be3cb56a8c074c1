// What a try means, in plain words. Free of DOM.

/** @typedef {import('./ways.js').Gathered} Gathered */
/** @typedef {import('./ways.js').Echo} Echo */
/**
 * What the server saw of one try.
 * @typedef {object} Seen
 * @property {number} at @property {'opened'|'refused'|'closed'} kind @property {string} transport @property {string} client
 * @property {string} [method] @property {number} [code] @property {string} [why]
 */
/** @typedef {{good: boolean, text: string}} Verdict */

/** @param {string} url @returns {'IPv4'|'IPv6'|undefined} undefined for a name */
export function familyOf(url) {
  const host = url.replace(/^(stun|turn)s?:/i, '').replace(/\?.*$/, '');
  if (host.startsWith('[')) return 'IPv6';
  return /^\d+\.\d+\.\d+\.\d+(:\d+)?$/.test(host) ? 'IPv4' : undefined;
}

/** The families the server was reached over, as it saw them. @param {Seen[]} seen */
export const familiesSeen = (seen) => [...new Set(seen.map(({ client }) => (client.startsWith('[') ? 'IPv6' : 'IPv4')))];

/** @param {string} url */
const overTls = (url) => /^turns:/i.test(url);
/** @param {string} url */
const overUdp = (url) => !overTls(url) && !/transport=tcp/i.test(url);

/** Words for a code where the server has none of its own. @type {Record<number, string>} */
const CODES = {
  300: 'the server sends clients elsewhere', 401: 'the server does not accept the user name or password',
  403: 'the server does not relay to this peer', 438: 'the credential’s nonce was stale', 441: 'the allocation belongs to another user',
  486: 'this user has as many allocations as it may have', 508: 'the server has no room left',
};

/**
 * @param {string} url @param {Gathered} gathered @param {Echo|undefined} echo @param {Seen[]} seen what the server saw meanwhile
 * @returns {Verdict}
 */
export function judge(url, gathered, echo, seen) {
  if (/^stuns?:/i.test(url)) {
    return gathered.reached ? good(gathered.mapped ? `Works: the server sees you as ${gathered.mapped}.` : 'Works: the server answers.') : unreached(url);
  }
  const refused = seen.findLast(({ kind }) => kind === 'refused');
  if (gathered.relayed.length === 0) {
    if (refused) return bad(`Refused: ${refused.why ?? CODES[refused.code ?? 0] ?? `code ${refused.code}`}.`);
    const told = gathered.errors.find(({ code }) => code !== 701);
    if (told) return bad(`Refused: ${CODES[told.code] ?? told.text} (code ${told.code}).`);
    return unreached(url);
  }
  if (!echo) {
    if (refused?.code === 403) return bad(`Allocated, but nothing is relayed: ${refused.why ?? CODES[403]}.`);
    const more = refused ? ` The server says: ${refused.why ?? CODES[refused.code ?? 0]}.` : ' A firewall between the server’s relay ports, or a wrong external address, does this.';
    return bad(`Allocated, but nothing comes back through the relay.${more}`);
  }
  const lost = echo.sent - echo.back;
  if (echo.back === 0) return bad('Allocated and connected, but every packet was lost.');
  if (lost > echo.sent / 20) return bad(`Relays, but ${lost} of ${echo.sent} packets were lost: calls will stutter.`);
  return good(`Works: ${lost === 0 ? 'nothing lost' : `${lost} of ${echo.sent} packets lost`}, ${ms(echo.medianMs)} there and back through the relay.`);
}

/** @param {string} url @returns {Verdict} */
function unreached(url) {
  if (overTls(url)) return bad('No answer over TLS: the port is closed or filtered, or the certificate is not one this browser trusts.');
  if (overUdp(url)) return bad('No answer over UDP: the port is closed, or a firewall on the way drops UDP. TCP or TLS may still work.');
  return bad('No answer over TCP: the port is closed or filtered.');
}

/** @param {number} value milliseconds */
export const ms = (value) => (Number.isFinite(value) ? `${value < 10 ? value.toFixed(1) : Math.round(value)} ms` : 'no time');
/** @param {string} text @returns {Verdict} */
const good = (text) => ({ good: true, text });
/** @param {string} text @returns {Verdict} */
const bad = (text) => ({ good: false, text });

/** One sentence over all tries. @param {{url: string, verdict: Verdict}[]} tries @returns {Verdict} */
export function sum(tries) {
  const relays = tries.filter(({ url }) => /^turns?:/i.test(url));
  const working = relays.filter(({ verdict }) => verdict.good);
  if (tries.every(({ verdict }) => verdict.good)) return good('Everything works. Calls will find their way through this server.');
  if (relays.length === 0) return bad('This server has no relay to offer.');
  if (working.length === 0) return bad('No relay works from here: calls between strict networks will fail.');
  const udp = working.some(({ url }) => overUdp(url));
  return bad(udp ? 'The relay works over UDP, but not every way does: people behind strict firewalls may not get through.'
    : 'The relay works, but not over UDP: calls will work with more delay.');
}
