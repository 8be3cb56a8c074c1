// Numbers as people read them. Free of DOM.

const UNITS = ['', 'k', 'M', 'G', 'T'];

/** @param {number} value @param {string} unit */
function scaled(value, unit) {
  let at = 0;
  while (value >= 1000 && at < UNITS.length - 1) { value /= 1000; at += 1; }
  return `${value.toFixed(at > 0 && value < 10 ? 1 : 0)}\u00a0${UNITS[at]}${unit}`;
}

/** @param {number} bytesPerSecond */
export const rate = (bytesPerSecond) => scaled(Math.max(0, bytesPerSecond) * 8, 'bit/s');
/** @param {number} bytes */
export const size = (bytes) => scaled(bytes, 'B');
/** @param {number} value */
export const count = (value) => Math.round(value).toLocaleString('en');
/** @param {number} value @param {string} one @param {string} [many] */
export const many = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

const SPANS = /** @type {const} */ ([['d', 86_400], ['h', 3600], ['min', 60], ['s', 1]]);

/** @param {number} seconds @returns {string} the two largest units */
export function span(seconds) {
  let left = Math.max(0, Math.floor(seconds));
  const parts = SPANS.map(([unit, length]) => {
    const value = Math.floor(left / length);
    left -= value * length;
    return { value, unit };
  });
  const first = parts.findIndex(({ value }) => value > 0);
  if (first < 0) return '0\u00a0s';
  return parts.slice(first, first + 2).filter(({ value }) => value > 0).map(({ value, unit }) => `${value}\u00a0${unit}`).join(' ');
}

/** The time of day, and the day if it is not today. @param {number} unix seconds */
export function clock(unix) {
  const when = new Date(unix * 1000);
  const time = when.toLocaleTimeString('en-GB');
  if (when.toDateString() === new Date().toDateString()) return time;
  return `${when.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })} ${time}`;
}
