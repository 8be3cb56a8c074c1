// Who is behind an id: people have names in their room, the relay and the audit trail know only their ids. Free of DOM.

/** Names that are remembered, of people who are gone too; the oldest make room. */
const MOST = 2000;

/** @type {Map<string, {name: string, room: string}>} */
const people = new Map();

/** @param {string} peer @param {{name: string, room: string}} person */
export function remember(peer, person) {
  people.delete(peer);
  people.set(peer, person);
  for (const oldest of people.keys()) {
    if (people.size <= MOST) break;
    people.delete(oldest);
  }
}

/** @param {string} id a peer's, or the user of its credentials */
export const known = (id) => people.get(id);

/** @param {string} id */
export const short = (id) => (id.length > 8 ? `${id.slice(0, 6)}…` : id);

/** A name without the marks that turn the direction of writing: `gpj.exe` is not to be read backwards. @param {string} name */
export const plain = (name) => name.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '');

/** A name inside a sentence, whatever it is written in. @param {string} name */
export const inText = (name) => `\u2068${plain(name)}\u2069`;

/** @param {string|undefined} peer */
export const nameOfPeer = (peer) => (peer ? inText(known(peer)?.name ?? short(peer)) : 'Somebody');
