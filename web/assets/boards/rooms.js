// The rooms and who is in them, with what an operator may do about it.

import { make } from '../ui/dom.js';
import { follow, twice } from './list.js';
import { span } from './numbers.js';

/**
 * @typedef {{peer: string, name?: string|null, role?: string, publishing?: boolean, connected?: boolean}} Person
 * @typedef {object} Room
 * @property {string} id @property {string|null} [name] @property {number} capacity @property {boolean} lobby @property {boolean} locked
 * @property {number} created unix seconds @property {number} participants @property {number} [waiting] @property {string|null} [owner]
 * @property {Person[]} [people] @property {Person[]} [inLobby]
 */

/**
 * @param {HTMLElement} list
 * @param {{act: (method: string, path: string, body?: object) => Promise<void>}} does
 */
export function roomList(list, { act }) {
  const path = (/** @type {Room} */ room) => `/api/v1/rooms/${encodeURIComponent(room.id)}`;
  const person = (/** @type {Room} */ room, /** @type {string[]} */ verbs) => ({
    /** @param {Person} one */
    build: (one) => {
      const row = make('li', { class: 'person' }, make('span', { class: 'who' }), make('small'));
      for (const verb of verbs) {
        const button = /** @type {HTMLButtonElement} */ (make('button', { class: 'small', text: verb }));
        button.setAttribute('aria-label', `${verb} ${one.name || one.peer}`);
        const does = () => act('POST', `${path(room)}/participants/${encodeURIComponent(one.peer)}/${verb.toLowerCase()}`);
        if (verb === 'Admit') button.addEventListener('click', does);
        else twice(button, `Really ${verb.toLowerCase()}?`, does);
        row.append(button);
      }
      return row;
    },
    /** @param {HTMLElement} row @param {Person} one */
    fill: (row, one) => {
      const [who, how] = row.children;
      if (who) who.textContent = one.name || one.peer;
      const marks = [one.role, one.publishing ? 'sends media' : '', one.connected === false ? 'away' : ''];
      if (how) how.textContent = marks.filter(Boolean).join(', ');
    },
  });
  /** @type {WeakMap<HTMLElement, {people: (all: Person[]) => void, lobby: (all: Person[]) => void}>} */ const inner = new WeakMap();
  /** @param {Room} room */
  const build = (room) => {
    const people = make('ul', { class: 'people' });
    const lobby = make('ul', { class: 'people waiting' });
    const lock = /** @type {HTMLButtonElement} */ (make('button', { class: 'small lock' }));
    lock.addEventListener('click', () => act('PATCH', path(room), { locked: lock.dataset.locked !== 'true' }));
    const close = /** @type {HTMLButtonElement} */ (make('button', { class: 'small', text: 'Close' }));
    twice(close, 'Really close?', () => act('DELETE', path(room)));
    const row = make('li', { class: 'room' },
      make('div', { class: 'head' }, make('div', { class: 'what' }, make('strong'), make('small')), make('div', { class: 'acts' }, lock, close)),
      people, make('p', { class: 'hint lobby-title', text: 'In the lobby' }), lobby);
    row.dataset.room = room.id;
    const [inside, outside] = [person(room, ['Kick']), person(room, ['Admit', 'Deny'])];
    const key = (/** @type {Person} */ one) => one.peer;
    inner.set(row, { people: follow(people, key, inside.build, inside.fill), lobby: follow(lobby, key, outside.build, outside.fill) });
    return row;
  };
  /** @param {HTMLElement} row @param {Room} room */
  const fill = (row, room) => {
    const find = (/** @type {string} */ what) => /** @type {HTMLElement} */ (row.querySelector(what));
    find('strong').textContent = room.name || room.id;
    const marks = [`${room.participants} of ${room.capacity}`, room.locked ? 'locked' : '', room.lobby ? 'lobby' : '',
      room.owner ? `of ${room.owner}` : '', `${span(Date.now() / 1000 - room.created)} old`];
    find('.what small').textContent = marks.filter(Boolean).join(' · ');
    const lock = find('.lock');
    lock.textContent = room.locked ? 'Unlock' : 'Lock';
    lock.dataset.locked = String(room.locked);
    lock.setAttribute('aria-label', `${lock.textContent} room ${room.name || room.id}`);
    inner.get(row)?.people(room.people ?? []);
    inner.get(row)?.lobby(room.inLobby ?? []);
    find('.lobby-title').hidden = !room.inLobby?.length;
  };
  return follow(list, (/** @type {Room} */ room) => room.id, build, fill);
}
