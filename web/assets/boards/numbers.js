// Numbers as people read them. Free of DOM.

const UNITS = ['', 'k', 'M', 'G', 'T'];

/** @param {number} value @param {number} step @param {string} unit */
function scaled(value, step, unit) {
  let at = 0;
  while (value >= step && at < UNITS.length - 1) { value /= step; at += 1; }
  const digits = at > 0 && value < 10 ? 1 : 0;
  return `${value.toFixed(digits)} ${UNITS[at]}${unit}`;
}

/** @param {number} bytesPerSecond */
export const rate = (bytesPerSecond) => scaled(Math.max(0, bytesPerSecond) * 8, 1000, 'bit/s');
/** @param {number} bytes */
export const size = (bytes) => scaled(bytes, 1000, 'B');
/** @param {number} count */
export const count = (count) => Math.round(count).toLocaleString('en');

/** @param {number} seconds @returns {string} the two largest units */
export function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [['d', 86_400], ['h', 3600], ['min', 60], ['s', 1]].map(([unit, length], at, all) => {
    const left = at === 0 ? whole : whole % Number(all[at - 1]?.[1]);
    return [Math.floor(left / Number(length)), unit];
  });
  const first = parts.findIndex(([value]) => Number(value) > 0);
  if (first < 0) return '0 s';
  return parts.slice(first, first + 2).filter(([value]) => Number(value) > 0).map(([value, unit]) => `${value} ${unit}`).join(' ');
}

/** @param {number} unix seconds */
export const clock = (unix) => new Date(unix * 1000).toLocaleTimeString('en-GB');

/** What a STUN error code means for who looks after the server. @type {Record<number, string>} */
const REFUSALS = {
  300: 'sent to another server', 400: 'malformed request', 401: 'wrong or expired credential', 403: 'peer not allowed',
  405: 'method not allowed', 420: 'unknown attribute', 437: 'no such allocation', 438: 'stale nonce', 440: 'address family not served',
  441: 'another user’s allocation', 442: 'transport not served', 443: 'peer of another family', 446: 'connection exists', 447: 'peer not reached',
  486: 'quota reached', 500: 'server error', 508: 'out of ports or capacity',
};

/** @param {number} code */
export const refusal = (code) => (code ? `${code} ${REFUSALS[code] ?? 'refused'}` : 'other');
