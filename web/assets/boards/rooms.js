// The rooms and who is in them, with what an operator may do about it.

import { make, part, sure } from '../ui/dom.js';
import { follow } from './list.js';
import { inText, plain, short } from './names.js';
import { span } from './numbers.js';

/**
 * @typedef {{peer: string, name?: string|null, role?: string, publishing?: boolean, connected?: boolean}} Person
 * @typedef {object} Room
 * @property {string} id @property {string|null} [name] @property {number} capacity @property {boolean} lobby @property {boolean} locked
 * @property {number} created unix seconds @property {number} participants @property {number} [waiting] @property {string|null} [owner]
 * @property {Person[]} [people] who is in it @property {Person[]} [inLobby] who waits
 */
/** @typedef {(method: string, path: string, body?: object) => Promise<void>} Act */

/** @param {Room} room */
const pathOf = (room) => `/api/v1/rooms/${encodeURIComponent(room.id)}`;
/** @param {Room} room */
export const nameOf = (room) => plain(room.name || `Room ${short(room.id)}`);
/** @param {Person} one */
export const whoIs = (one) => plain(one.name || `Somebody (${short(one.peer)})`);

/**
 * @param {HTMLElement} list @param {Act} act
 * @returns {(rooms: Room[]) => void}
 */
export function roomList(list, act) {
  /** @type {WeakMap<HTMLElement, (room: Room) => void>} */ const inner = new WeakMap();
  /** @param {Room} room */
  const build = (room) => {
    const row = make('li', { class: 'room', 'data-room': room.id },
      make('div', { class: 'head' }, make('div', { class: 'what' }, make('h3', {}, make('bdi')), make('small')), roomKeys(room, act)),
      make('ul', { class: 'people' }), make('p', { class: 'hint', text: 'In the lobby' }), make('ul', { class: 'people lobby' }));
    const drawIn = follow(part(row, '.people'), (/** @type {Person} */ one) => one.peer, (one) => personIn(room, one, act), describePerson);
    const drawOut = follow(part(row, '.lobby'), (/** @type {Person} */ one) => one.peer, (one) => personOutside(room, one, act), describePerson);
    inner.set(row, ({ people = [], inLobby = [] }) => { drawIn(people); drawOut(inLobby); });
    return row;
  };
  /** @param {HTMLElement} row @param {Room} room */
  const fill = (row, room) => {
    part(row, 'h3 bdi').textContent = nameOf(room);
    const marks = [`${room.participants} of ${room.capacity}`, room.locked ? 'locked' : '', room.lobby ? 'lobby' : '',
      room.owner ? `made by ${room.owner}` : '', `${span(Date.now() / 1000 - room.created)} old`];
    part(row, '.what small').textContent = marks.filter(Boolean).join(' · ');
    const lock = part(row, '.lock');
    lock.textContent = room.locked ? 'Unlock' : 'Lock';
    lock.setAttribute('aria-label', `${lock.textContent} ${nameOf(room)}`);
    inner.get(row)?.(room);
    part(row, 'p').hidden = !room.inLobby?.length;
  };
  return follow(list, (/** @type {Room} */ room) => room.id, build, fill);
}

/** @param {Room} room @param {Act} act */
function roomKeys(room, act) {
  const lock = make('button', { class: 'small lock', click: () => act('PATCH', pathOf(room), { locked: lock.textContent === 'Lock' }) });
  const close = async () => {
    const what = { title: `Close “${inText(nameOf(room))}”?`, text: 'Everybody in it is sent away, and its invites end.', yes: 'Close it' };
    if (await sure(what)) await act('DELETE', pathOf(room));
  };
  return make('div', { class: 'acts' }, lock, make('button', { class: 'small', text: 'Close', 'aria-label': `Close ${nameOf(room)}`, click: close }));
}

/** @param {Room} room @param {Person} one @param {Act} act */
function personIn(room, one, act) {
  const kick = async () => {
    const what = { title: `Kick ${inText(whoIs(one))}?`, text: 'They leave the room at once, and come in again only with a new invite.', yes: 'Kick' };
    if (await sure(what)) await act('POST', `${pathOf(room)}/participants/${encodeURIComponent(one.peer)}/kick`);
  };
  return person(make('button', { class: 'small', text: 'Kick', 'aria-label': `Kick ${whoIs(one)}`, click: kick }));
}

/** @param {Room} room @param {Person} one @param {Act} act */
function personOutside(room, one, act) {
  return person(...['Admit', 'Deny'].map((verb) => make('button', {
    class: 'small', text: verb, 'aria-label': `${verb} ${whoIs(one)}`,
    click: () => act('POST', `${pathOf(room)}/participants/${encodeURIComponent(one.peer)}/${verb.toLowerCase()}`),
  })));
}

/** @param {...HTMLElement} keys */
const person = (...keys) => make('li', {}, make('span', { class: 'who' }, make('bdi'), make('small')), make('span', { class: 'acts' }, ...keys));

/** @param {HTMLElement} row @param {Person} one */
function describePerson(row, one) {
  part(row, 'bdi').textContent = whoIs(one);
  const marks = [one.role, one.publishing ? 'sends media' : '', one.connected === false ? 'connection lost' : ''];
  part(row, 'small').textContent = marks.filter(Boolean).join(', ');
}
