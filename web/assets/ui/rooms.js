// The rooms of who is signed in: to enter again, or to close.

import { explain } from '../../sdk.js';
import { el, make, sure } from './dom.js';
import { notify } from './notices.js';
import { drawAccount } from './sign-in.js';

/** @typedef {import('../../sdk.js').Relayhouse} Relayhouse */
/** @typedef {import('../../sdk.js').Room} Room */

/** Rooms in the list; somebody with more finds them on the operator's page. */
const SHOWN = 20;

/** @type {Room[]} */
let rooms = [];

/** @param {Relayhouse} house @param {(room: Room) => Promise<string|undefined>} enter answers with what went wrong */
export function setUpRooms(house, enter) {
  el('rooms-list').addEventListener('click', (event) => {
    const pressed = event.target instanceof HTMLElement ? event.target.closest('button') : null;
    const room = rooms.find(({ id }) => id === pressed?.dataset.room);
    if (!room || !pressed) return;
    if (pressed.dataset.act === 'close') close(house, room);
    else enter(room).then((wrong) => { el('start-wrong').textContent = wrong ?? ''; });
  });
}

/** Newest knowledge. @param {Relayhouse} house */
export async function drawRooms(house) {
  drawAccount(house);
  el('rooms').hidden = !house.session;
  if (!house.session) return;
  try {
    ({ rooms } = await house.rooms({ limit: SHOWN }));
    el('rooms-note').textContent = rooms.length === 0 ? 'None yet. Rooms you make stand here until they close.' : '';
  } catch (wrong) {
    rooms = [];
    el('rooms-note').textContent = `They could not be listed. ${explain(/** @type {Error} */ (wrong))}`;
  }
  el('rooms-list').replaceChildren(...rooms.map(line));
}

/** @param {Room} room */
function line(room) {
  const name = room.name || 'Call';
  const there = room.participants ? `${room.participants} in it` : 'nobody in it';
  const tags = [there, room.waiting ? `${room.waiting} waiting` : '', room.locked ? 'locked' : '', room.lobby ? 'lobby' : ''];
  return make('li', {}, make('span', { class: 'person' }, make('b', { text: name }), make('small', { text: tags.filter(Boolean).join(' · ') })),
    make('button', { class: 'small primary', text: 'Enter', 'aria-label': `Enter ${name}`, 'data-room': room.id, 'data-act': 'enter' }),
    make('button', { class: 'small', text: 'Close', 'aria-label': `Close ${name}`, 'data-room': room.id, 'data-act': 'close' }));
}

/** @param {Relayhouse} house @param {Room} room */
async function close(house, room) {
  const text = 'Everybody in it leaves, and its invites end.';
  if (!await sure({ title: `Close ${room.name || 'the room'}?`, text, yes: 'Close it' })) return;
  try {
    await house.closeRoom(room.id);
  } catch (wrong) {
    notify(explain(/** @type {Error} */ (wrong)), { key: 'rooms', bad: true });
  }
  drawRooms(house);
}
