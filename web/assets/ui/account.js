// Signing in, who is signed in, and their rooms.

import { explain } from '../../sdk.js';
import { button, el, input, make, show, sure } from './dom.js';
import { keep } from './keep.js';
import { notify } from './notices.js';

/** @typedef {import('../../sdk.js').Relayhouse} Relayhouse */
/** @typedef {{house: Relayhouse, enter: (room: import('../../sdk.js').Room) => Promise<string|undefined>, back: () => void}} Then */

/** Rooms in the list; somebody with more finds them on the operator's page. */
const SHOWN = 20;

/** @param {Then} then */
export function setUpAccount({ house, enter, back }) {
  house.session = keep.account;
  house.on('session', (session) => {
    keep.account = session ?? undefined;
    drawAccount(house);
    if (!session) el('rooms').hidden = true;
  });
  el('account-in').addEventListener('click', () => askToSignIn());
  el('account-out').addEventListener('click', async () => {
    await house.logout().catch(() => { /* this tab has forgotten the tokens anyway */ });
    notify('You are signed out.', { key: 'account' });
  });
  el('signin-back').addEventListener('click', back);
  el('signin-form').addEventListener('submit', async (event) => {
    event.preventDefault();
    el('signin-wrong').textContent = '';
    button('signin-go').disabled = true;
    try {
      const { user } = await house.login(input('signin-name').value.trim(), input('signin-password').value);
      if (!keep.choices.name) keep.choices = { ...keep.choices, name: user.name };
      input('signin-password').value = '';
      back();
    } catch (wrong) {
      el('signin-wrong').textContent = explain(/** @type {Error} */ (wrong));
      input('signin-password').select();
    } finally {
      button('signin-go').disabled = false;
    }
  });
  el('rooms-list').addEventListener('click', (event) => {
    const pressed = event.target instanceof HTMLElement ? event.target.closest('button') : null;
    const room = rooms.find(({ id }) => id === pressed?.dataset.room);
    if (!room || !pressed) return;
    if (pressed.dataset.act === 'close') close(house, room);
    else enter(room).then((wrong) => { el('start-wrong').textContent = wrong ?? ''; });
  });
  drawAccount(house);
}

/** @param {string} [why] a sentence; the usual one without */
export function askToSignIn(why = 'Your rooms stay yours: you come in again without an invite, from any device.') {
  el('signin-why').textContent = why;
  el('signin-wrong').textContent = '';
  show('signin');
  input('signin-name').focus();
}

/** @param {Relayhouse} house */
function drawAccount(house) {
  const user = house.session?.user;
  el('account').hidden = !user;
  el('account-in').hidden = Boolean(user);
  el('account-name').textContent = user ? `Signed in as ${user.name}` : '';
}

/** @type {import('../../sdk.js').Room[]} */
let rooms = [];

/** Own rooms, newest knowledge. @param {Relayhouse} house */
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

/** @param {import('../../sdk.js').Room} room */
function line(room) {
  const name = room.name || 'Call';
  const there = room.participants ? `${room.participants} in it` : 'nobody in it';
  const tags = [there, room.waiting ? `${room.waiting} waiting` : '', room.locked ? 'locked' : '', room.lobby ? 'lobby' : ''];
  return make('li', {}, make('span', { class: 'person' }, make('b', { text: name }), make('small', { text: tags.filter(Boolean).join(' · ') })),
    make('button', { class: 'small primary', text: 'Enter', 'aria-label': `Enter ${name}`, 'data-room': room.id, 'data-act': 'enter' }),
    make('button', { class: 'small', text: 'Close', 'aria-label': `Close ${name}`, 'data-room': room.id, 'data-act': 'close' }));
}

/** @param {Relayhouse} house @param {import('../../sdk.js').Room} room */
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
