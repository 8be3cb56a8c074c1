// The operator's dashboard: asks for the numbers every two seconds while somebody looks, and draws them.

import { RelayhouseError } from '../../sdk.js';
import { el, input, show } from '../ui/dom.js';
import { clearNotice, clearNotices, notify } from '../ui/notices.js';
import { SHOWN, allocationTable } from './allocations.js';
import { setUpDoor, showDoor } from './door.js';
import { ASKED, eventList } from './events.js';
import { ask, house, isKnown, signOut } from './house.js';
import { remember } from './names.js';
import { count, span } from './numbers.js';
import { reasonList, refusalList } from './refusals.js';
import { nameOf, roomList, whoIs } from './rooms.js';
import { totals } from './totals.js';

const EVERY_MS = 2000;
/** Rooms of one look; those with the most people are shown, and looked into. */
const ROOMS_ASKED = 200;
const ROOMS_SHOWN = 24;

/** Does something, and says so when it fails. @param {string} method @param {string} path @param {object} [body] */
async function act(method, path, body) {
  try {
    await ask(method, path, body);
    clearNotice('act');
  } catch (wrong) {
    if (!(wrong instanceof RelayhouseError)) throw wrong;
    notify(wrong.status === 404 ? 'That is over already.' : wrong.detail || wrong.message, { key: 'act', bad: true });
  }
  lookNow();
}

const drawTotals = totals();
const drawAllocations = allocationTable(el('allocations'), (id) => act('DELETE', `/api/v1/admin/allocations/${encodeURIComponent(id)}`));
const drawRooms = roomList(el('rooms'), act);
const drawReasons = reasonList(el('reasons'));
const drawRefusals = refusalList(el('refusals'));
const drawEvents = eventList(el('events'));

async function lookAtStats() {
  const stats = await ask('GET', '/api/v1/admin/stats');
  el('version').textContent = `Version ${stats.version}, up ${span(stats.uptime)}`;
  el('draining').hidden = !stats.relay.draining;
  drawTotals(stats);
  drawReasons(stats.relay.refusals);
}

async function lookAtAllocations() {
  const user = input('filter').value.trim();
  const wanted = new URLSearchParams({ limit: String(SHOWN), ...(user ? { user: `${user}*` } : {}) });
  const { allocations, total, next } = await ask('GET', `/api/v1/admin/allocations?${wanted}`);
  if (user !== input('filter').value.trim()) return; // somebody types on, and is answered by the next look
  drawAllocations(allocations);
  el('no-allocations').hidden = allocations.length > 0;
  el('no-allocations').textContent = user ? `Nobody whose name begins with “${user}” relays anything right now.` : 'Nobody relays anything right now.';
  el('allocations-table').hidden = allocations.length === 0;
  const shown = next ? `The first ${count(allocations.length)}` : count(allocations.length);
  el('allocations-note').textContent = next || user ? `${shown} shown, of ${count(total)} open` : '';
}

/** @returns {Promise<Map<string, string>>} the names of the rooms */
async function lookAtRooms() {
  /** @type {{rooms: import('./rooms.js').Room[], next?: string}} */
  const { rooms, next } = await ask('GET', `/api/v1/rooms?limit=${ROOMS_ASKED}`);
  const busy = (/** @type {import('./rooms.js').Room} */ { waiting = 0, participants }) => waiting * 1000 + participants;
  const shown = rooms.toSorted((one, other) => busy(other) - busy(one) || other.created - one.created).slice(0, ROOMS_SHOWN);
  await Promise.all(shown.filter(busy).map(async (room) => {
    // One that closed a moment ago is shown as empty until the next look.
    const inside = await ask('GET', `/api/v1/rooms/${encodeURIComponent(room.id)}/participants`).catch(() => ({}));
    room.people = inside.participants;
    room.inLobby = inside.waiting;
    for (const one of [...room.people ?? [], ...room.inLobby ?? []]) remember(one.peer, { name: whoIs(one), room: nameOf(room) });
  }));
  drawRooms(shown);
  el('no-rooms').hidden = rooms.length > 0;
  const all = next ? `more than ${count(rooms.length)}` : count(rooms.length);
  el('rooms-note').textContent = rooms.length > shown.length ? `${count(shown.length)} shown, of ${all}` : '';
  return new Map(rooms.map((room) => [room.id, nameOf(room)]));
}

async function lookAtRefusals() {
  const { refusals } = await ask('GET', '/api/v1/admin/refusals?limit=100');
  drawRefusals(refusals);
  el('no-refusals').hidden = refusals.length > 0;
}

/** One look at everything. */
async function lookOnce() {
  const [{ events }, names] = await Promise.all([
    ask('GET', `/api/v1/admin/events?limit=${ASKED}&order=newest`), lookAtRooms(), lookAtStats(), lookAtAllocations(), lookAtRefusals(),
  ]);
  drawEvents(events, names);
  el('no-events').hidden = el('events').childElementCount > 0;
  state('live', `Live, ${new Date().toLocaleTimeString('en-GB')}`);
}

/** @param {'live'|'lost'} how @param {string} text */
function state(how, text) {
  el('live').textContent = text;
  el('live').dataset.state = how;
}

/** @param {unknown} wrong why a look failed */
async function sayWhy(wrong) {
  if (!(wrong instanceof RelayhouseError)) throw wrong;
  if (wrong.status === 401 || wrong.status === 403) {
    await signOut();
    clearNotices();
    showDoor('You have been signed out.');
    return;
  }
  state('lost', 'Not live');
  notify(wrong.status ? wrong.detail || wrong.message : 'The server does not answer. Trying again.', { key: 'look', bad: true });
}

const isOpen = () => !el('view-board').hidden;

/** Ends the rest between two looks. */
let wake = () => {};
let isWanted = false;
function lookNow() {
  isWanted = true;
  wake();
}

/** Until it is time to look again: never while the page is hidden. */
const rest = () => new Promise((/** @type {(value?: undefined) => void} */ resolve) => {
  wake = resolve;
  if (isWanted) resolve();
  else if (!document.hidden) setTimeout(resolve, EVERY_MS);
});

/** Looks again and again, until somebody signs out. */
async function watch() {
  while (isOpen()) {
    await rest();
    isWanted = false;
    if (!isOpen()) return;
    await lookOnce().then(() => clearNotice('look'), sayWhy);
  }
}

async function enter() {
  await lookOnce();
  const name = house.session?.user.name;
  el('who').textContent = name ? `Signed in as ${name}` : 'With an API key';
  show('board');
  watch();
}

setUpDoor({ enter, notAllowed: 'This account or key is not an operator’s. It needs the role or the scope admin.' });
input('filter').addEventListener('input', lookNow);
el('sign-out').addEventListener('click', async () => {
  showDoor();
  wake();
  clearNotices();
  await signOut();
});
document.addEventListener('visibilitychange', () => { if (!document.hidden) lookNow(); });
if (isKnown()) {
  enter().catch((wrong) => {
    if (!(wrong instanceof RelayhouseError)) throw wrong;
    showDoor(wrong.status === 401 || wrong.status === 403 ? '' : wrong.message);
  });
} else {
  showDoor();
}
