// What this tab remembers across a reload: who is signed in, an operator's key, the right to make rooms, the seat in a
// room, choices.
//
// A reload takes the seat anew with its ticket. The resume token is for a page that lives: replaying
// an old page's offers to a new one would help nobody.

const CREATOR = 'relayhouse.creator';
const KEY = 'relayhouse.key';
const SEAT = 'relayhouse.seat';
const ACCOUNT = 'relayhouse.account';
const CHOICES = 'relayhouse.choices';

/**
 * @typedef {object} Seat
 * @property {string} ticket
 * @property {Pick<import('../../sdk.js').Room, 'id'> & Partial<import('../../sdk.js').Room>} room
 */
/**
 * @typedef {object} Choices
 * @property {string} name
 * @property {boolean} relayOnly
 * @property {boolean} shortcuts single-key shortcuts are on
 * @property {string} [audio] microphone
 * @property {string} [video] camera
 * @property {string} [speaker]
 */

/** @param {Storage} storage @param {string} key @returns {any} */
function read(storage, key) {
  try { return JSON.parse(storage.getItem(key) ?? 'null') ?? undefined; } catch { return undefined; }
}

/** @param {Storage} storage @param {string} key @param {unknown} value */
function write(storage, key, value) {
  try {
    if (value === undefined || value === null) storage.removeItem(key);
    else storage.setItem(key, JSON.stringify(value));
  } catch { /* storage is switched off: the tab works, it just forgets */ }
}

export const keep = {
  /** @returns {string|undefined} */
  get creator() { return read(sessionStorage, CREATOR); },
  set creator(ticket) { write(sessionStorage, CREATOR, ticket); },
  /**
   * Who is signed in, in this tab alone: refresh tokens are good once, two tabs would end each other's session.
   * @returns {import('../../sdk.js').Session|undefined}
   */
  get account() { return read(sessionStorage, ACCOUNT); },
  set account(account) { write(sessionStorage, ACCOUNT, account); },
  /** An API key, or another proof that was typed in. @returns {string|undefined} */
  get key() { return read(sessionStorage, KEY); },
  set key(key) { write(sessionStorage, KEY, key); },
  /** @returns {Seat|undefined} */
  get seat() { return read(sessionStorage, SEAT); },
  set seat(seat) { write(sessionStorage, SEAT, seat); },
  /** @returns {Choices} */
  get choices() {
    return { name: '', relayOnly: false, shortcuts: true, ...read(sessionStorage, CHOICES) };
  },
  /** @param {Choices} choices */
  set choices(choices) { write(sessionStorage, CHOICES, choices); },
};
