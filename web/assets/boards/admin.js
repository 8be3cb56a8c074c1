// The operator's dashboard: asks for the numbers every two seconds while somebody looks, and draws them.

import { el, input, make, show } from '../ui/dom.js';
import { clearNotice, notify } from '../ui/notices.js';
import { SHOWN, allocationTable } from './allocations.js';
import { CallFailed, Client } from './client.js';
import { setUpDoor, showDoor } from './door.js';
import { follow } from './list.js';
import { clock, count, rate, refusal, span } from './numbers.js';
import { roomList } from './rooms.js';
import { Series, draw, spark } from './spark.js';

const EVERY_MS = 2000;
/** Rooms whose people are asked for at each turn. */
const ROOMS_LOOKED_INTO = 20;

const client = new Client();
/** @type {ReturnType<typeof setTimeout>|undefined} */ let timer;
/** @type {{at: number, up: number, down: number, refused: number}|undefined} */ let before;

/** The four numbers at the top, each with its last minutes. */
const tiles = Object.fromEntries(['allocations', 'traffic', 'people', 'refused'].map((name) => {
  const tile = el(`tile-${name}`);
  const svg = spark(`${tile.querySelector('h2')?.textContent} over the last minutes`);
  tile.append(svg);
  return [name, { series: new Series(), svg, value: /** @type {HTMLElement} */ (tile.querySelector('.value')), more: /** @type {HTMLElement} */ (tile.querySelector('.more')) }];
}));

/** @param {string} name @param {number} value @param {string} text @param {string} more */
function drawTile(name, value, text, more) {
  const tile = tiles[name];
  if (!tile) return;
  tile.series.push(value);
  draw(tile.svg, tile.series);
  tile.value.textContent = text;
  tile.more.textContent = more;
}

/** Does something, and says so when it fails. @param {string} method @param {string} path @param {object} [body] */
async function act(method, path, body) {
  try {
    await client.call(method, path, body);
    clearNotice('act');
  } catch (wrong) {
    if (!(wrong instanceof CallFailed)) throw wrong;
    notify(wrong.message, { key: 'act', bad: true });
  }
  await look();
}

const drawAllocations = allocationTable(el('allocations'), (id) => act('DELETE', `/api/v1/admin/allocations/${encodeURIComponent(id)}`));
const drawRooms = roomList(el('rooms'), { act });
const drawReasons = follow(el('reasons'), (/** @type {{code: number}} */ { code }) => String(code),
  () => make('li', {}, make('span'), make('b')),
  (row, { code, count: times }) => {
    const [what, many] = row.children;
    if (what) what.textContent = refusal(code);
    if (many) many.textContent = count(times);
  });
const drawRefusals = follow(el('refusals'), (one) => `${one.at} ${one.client} ${one.method} ${one.why}`,
  (one) => make('li', {}, make('small', { text: `${clock(one.at)} · ${one.client} · ${one.transport ?? ''} · ${one.method}` }),
    make('span', { text: `${refusal(one.code)}: ${one.why}` })), () => {});
const drawEvents = follow(el('events'), (one) => String(one.id),
  (one) => make('li', {}, make('small', { text: `${clock(one.at)} · ${one.room ?? one.user ?? ''}` }),
    make('span', { text: [one.type, one.peer, one.reason ?? one.code ?? one.what].filter(Boolean).join(' · ') })), () => {});

/** @param {any} stats */
function drawStats({ uptime, version, relay, signal }) {
  el('version').textContent = `version ${version}, up ${span(uptime)}`;
  const refused = relay.refusals.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.count, 0);
  const now = { at: performance.now(), up: relay.bytesUp, down: relay.bytesDown, refused };
  const seconds = before ? (now.at - before.at) / 1000 : 0;
  const per = (/** @type {'up'|'down'|'refused'} */ what) => (before && seconds > 0 ? Math.max(0, now[what] - before[what]) / seconds : 0);
  drawTile('allocations', relay.allocations, count(relay.allocations), `${count(relay.allocationsTotal)} since the start`);
  drawTile('traffic', per('up') + per('down'), rate(per('up') + per('down')), `↑ ${rate(per('up'))} ↓ ${rate(per('down'))}`);
  drawTile('people', signal.peers, count(signal.peers), `in ${count(signal.rooms)} rooms, ${count(signal.waiting)} in lobbies`);
  drawTile('refused', per('refused') * 60, `${count(per('refused') * 60)} a minute`, `${count(refused)} since the start`);
  drawReasons(relay.refusals.filter((/** @type {any} */ one) => one.count > 0));
  before = now;
}

async function lookAtRooms() {
  const { rooms } = await client.get('/api/v1/rooms?limit=100');
  await Promise.all(rooms.slice(0, ROOMS_LOOKED_INTO).map(async (/** @type {any} */ room) => {
    const inside = await client.get(`/api/v1/rooms/${encodeURIComponent(room.id)}/participants`).catch(() => ({}));
    room.people = inside.participants;
    room.inLobby = inside.waiting;
  }));
  drawRooms(rooms);
  el('no-rooms').hidden = rooms.length > 0;
}

async function lookAtAllocations() {
  const user = input('filter').value.trim();
  const asked = new URLSearchParams({ limit: String(SHOWN), ...(user ? { user } : {}) });
  const { allocations, total } = await client.get(`/api/v1/admin/allocations?${asked}`);
  drawAllocations(allocations);
  el('no-allocations').hidden = allocations.length > 0;
  el('allocations-note').textContent = allocations.length < total ? `${allocations.length} of ${count(total)} are shown` : '';
}

/** One look at everything. Fails when the proof does not do. */
async function lookOnce() {
  drawStats(await client.get('/api/v1/admin/stats'));
  const [refusals, events] = await Promise.all([
    client.get('/api/v1/admin/refusals?limit=50'), client.get('/api/v1/admin/events?limit=50&order=newest'), lookAtAllocations(), lookAtRooms(),
  ]);
  drawRefusals(refusals.refusals);
  el('no-refusals').hidden = refusals.refusals.length > 0;
  drawEvents(events.events);
  el('no-events').hidden = events.events.length > 0;
  el('live').textContent = `Live, ${new Date().toLocaleTimeString('en-GB')}`;
}

/** Looks, says what went wrong, and looks again in a while. */
async function look() {
  clearTimeout(timer);
  try {
    await lookOnce();
    clearNotice('look');
  } catch (wrong) {
    if (!(wrong instanceof CallFailed)) throw wrong;
    if (wrong.status === 401 || wrong.status === 403) {
      client.use(undefined);
      showDoor('You have been signed out.');
      return;
    }
    el('live').textContent = 'Not live';
    notify(wrong.code === 'unreachable' ? 'The server does not answer. Trying again.' : wrong.message, { key: 'look', bad: true });
  }
  if (!document.hidden) timer = setTimeout(look, EVERY_MS);
}

async function enter() {
  await lookOnce();
  el('who').textContent = client.who ?? 'API key';
  show('board');
  timer = setTimeout(look, EVERY_MS);
}

setUpDoor(client, enter);
input('filter').addEventListener('input', () => { look(); });
el('sign-out').addEventListener('click', async () => {
  clearTimeout(timer);
  await client.signOut();
  showDoor();
});
document.addEventListener('visibilitychange', () => {
  clearTimeout(timer);
  if (!document.hidden && !el('view-board').hidden) look();
});
// Where the server is open, or this tab has a proof, there is nothing to ask.
enter().catch(() => showDoor());
