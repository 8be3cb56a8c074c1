// What happened lately, out of the audit trail, in words.

import { make, part } from '../ui/dom.js';
import { follow } from './list.js';
import { inText, known, nameOfPeer, short } from './names.js';
import { clock, size, span } from './numbers.js';

/** Asked for, to have enough left without the noise. */
export const ASKED = 200;
const SHOWN = 60;

/** What calls are made of: many a second, and nothing an operator looks for here. */
const NOISE = new Set(['offer', 'answer', 'candidate']);

/** @typedef {{id: number, at: number, type: string, room?: string, peer?: string, by?: string} & Record<string, any>} Happening */

/** @param {Happening} one */
const who = ({ peer }) => nameOfPeer(peer);

/** Who decided it. @param {Happening} one */
function by({ by: decided }) {
  if (!decided) return '';
  const [kind, id = ''] = decided.split(/:(.*)/s);
  if (kind === 'peer' || kind === 'ticket') return ` by ${nameOfPeer(id)}`;
  return kind === 'key' ? ` with the API key ${id}` : ` by ${inText(id || kind)}`;
}

/** The username without its timestamp, as a name. @param {Happening} one */
function userOf({ username }) {
  const user = String(username).replace(/^\d+:/, '');
  return inText(known(user)?.name ?? user);
}

/** @param {Happening} one */
const because = ({ reason }) => (reason ? `: ${String(reason).replaceAll('_', ' ')}` : '');

/** What a host or an operator decided. @type {Record<string, (one: Happening) => string>} */
const DECISIONS = {
  admit: (one) => `${who(one)} was let in`, deny: (one) => `${who(one)} was turned away`, kick: (one) => `${who(one)} was removed`,
  lock: () => 'Room locked', unlock: () => 'Room unlocked', rename: () => 'Room renamed', close: () => 'Room closed',
  end: (one) => `Allocation ${one.allocation} ended`,
};

/** A sentence for each type; what is not here is told by its own name. @type {Record<string, (one: Happening) => string>} */
const WORDS = {
  server_started: (one) => `The server started${one.version ? `, version ${one.version}` : ''}`,
  server_stopped: () => 'The server stopped',
  room_made: (one) => `Room made${by(one)}`,
  room_opened: () => 'Room opened',
  room_closed: (one) => `Room closed${because(one)}`,
  waiting: (one) => `${who(one)} waits in the lobby`,
  waiting_ended: (one) => `${who(one)} waits no more${because(one)}`,
  joined: (one) => `${who(one)} came in${one.role ? ` as ${one.role}` : ''}`,
  resumed: (one) => `${who(one)} came back`,
  left: (one) => `${who(one)} left${because(one)}`,
  moderation: (one) => `${(DECISIONS[one.action] ?? (() => String(one.action)))(one)}${by(one)}`,
  error: (one) => `${who(one)} was told: ${String(one.code).replaceAll('_', ' ')}`,
  invite_made: (one) => `Invite made${by(one)}`,
  invite_redeemed: (one) => `Invite used${one.client ? ` from ${one.client}` : ''}`,
  invite_revoked: (one) => `Invite taken back${by(one)}`,
  login: (one) => `${inText(one.user)} signed in from ${one.client}`,
  login_refused: (one) => `Sign-in${one.user ? ` as ${inText(one.user)}` : ''} from ${one.client} refused: ${one.why}`,
  logout: (one) => `${inText(one.user)} signed out`,
  key_added: (one) => `API key ${one.key} made`,
  key_revoked: (one) => `API key ${one.key} revoked`,
  allocation_ended: (one) => `Allocation of ${userOf(one)} ended${because(one)}, after ${span(one.age)}, ↑ ${size(one.bytesUp)} ↓ ${size(one.bytesDown)}`,
};

/** @param {Happening} one */
const sentence = (one) => WORDS[one.type]?.(one) ?? one.type.replaceAll('_', ' ');

/**
 * @param {HTMLElement} list
 * @returns {(all: Happening[], roomNames: Map<string, string>) => void} the newest first; rooms that are open have names
 */
export function eventList(list) {
  /** @type {Map<string, string>} */ let names = new Map();
  const build = (/** @type {Happening} */ one) => {
    const where = one.room ? [' · ', make('bdi', { text: names.get(one.room) ?? `room ${short(one.room)}` })] : [];
    return make('li', {}, make('small', { class: 'at' }, clock(one.at), ...where), make('span', { class: 'said', dir: 'auto' }));
  };
  // Somebody's name may be learnt after the event.
  const draws = follow(list, (/** @type {Happening} */ one) => String(one.id), build, (row, one) => {
    const words = sentence(one);
    if (part(row, '.said').textContent !== words) part(row, '.said').textContent = words;
  });
  return (all, roomNames) => {
    names = roomNames;
    draws(all.filter(({ type }) => !NOISE.has(type)).slice(0, SHOWN));
  };
}
