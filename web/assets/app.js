// The page: reads the link it was opened with, and moves between start, join, call and ended.

import { Media, Relayhouse, RelayhouseError, explain, explainNoRoom } from '../sdk.js';
import { setUpCallView, startCall, stopCall } from './ui/call-view.js';
import { rememberDevices } from './ui/devices.js';
import { roomWanted, setUpDoors, showEnded, showJoin, showStart, showWait } from './ui/doors.js';
import { keep } from './ui/keep.js';
import { drawRooms, setUpRooms } from './ui/rooms.js';
import { askToSignIn, setUpSignIn } from './ui/sign-in.js';

const house = new Relayhouse();
/** @type {Media|undefined} the devices of the join view, handed on to the call */
let media;
/** @type {string|undefined} */
let invite;
/** @type {import('./ui/keep.js').Seat|undefined} a seat that was refused for now */
let last;

/** The fragment never reaches a server; a secret in it leaves the address bar as soon as it is read. */
function readLink() {
  const link = new URLSearchParams(location.hash.slice(1));
  const creator = link.get('creator');
  invite = link.get('invite') ?? undefined;
  if (creator) keep.creator = creator;
  if (creator) history.replaceState(null, '', location.pathname);
}

async function openMedia() {
  media = new Media();
  rememberDevices(media);
  const mine = media;
  await media.open();
  return mine;
}

async function enterByLink() {
  readLink();
  if (invite) {
    stopCall();
    media?.close();
    const opening = openMedia();
    showJoin(/** @type {Media} */ (media));
    await opening;
  } else if (keep.seat) {
    await takeSeat(keep.seat);
  } else {
    start();
  }
}

function start() {
  showStart();
  drawRooms(house);
}

/** @param {import('./ui/keep.js').Seat} seat */
async function takeSeat(seat) {
  keep.seat = seat;
  invite = undefined;
  history.replaceState(null, '', location.pathname);
  if (!media) {
    showWait('connecting');
    await openMedia();
  }
  const mine = /** @type {Media} */ (media);
  media = undefined;
  await startCall({ house, seat, media: mine, waiting: showWait, over: (...why) => over(seat, ...why) });
}

/** Refusals that pass: the ticket stays good. */
const PASSES = new Set(['room_full', 'room_locked', 'busy', 'replaced']);
const TITLES = { kicked: 'You were removed', denied: 'You were not let in', replaced: 'The call goes on elsewhere' };

/** @param {import('./ui/keep.js').Seat} seat @param {string} code @param {string} words @param {boolean} entered */
function over(seat, code, words, entered) {
  last = PASSES.has(code) ? seat : undefined;
  const title = TITLES[/** @type {keyof TITLES} */ (code)] ?? (entered ? 'The call has ended' : 'You could not come in');
  showEnded(title, words, Boolean(last));
}

/** @param {() => Promise<import('./ui/keep.js').Seat|undefined>} ask @param {(wrong: RelayhouseError) => string} words */
async function tryFor(ask, words) {
  let seat;
  try {
    seat = await ask();
  } catch (wrong) {
    if (wrong instanceof RelayhouseError) return words(wrong);
    throw wrong;
  }
  if (seat) await takeSeat(seat);
  return undefined;
}

/**
 * A creator ticket that is too old must not stand in the way where the server is open.
 * @param {string} [before] what was tried already, for people
 * @returns {Promise<import('./ui/keep.js').Seat|undefined>} nothing when the visitor is asked to sign in instead
 */
async function makeRoom(before = '') {
  const wanted = roomWanted();
  const creator = house.session ? undefined : keep.creator;
  try {
    return await named(await house.createRoom(wanted, { token: creator }));
  } catch (wrong) {
    if (!(wrong instanceof RelayhouseError) || wrong.status !== 401) throw wrong;
    if (creator) {
      keep.creator = undefined;
      return makeRoom(' The link you came with is too old.');
    }
    if (wrong.code !== 'unauthorized' && wrong.code !== 'session_over') throw wrong;
    askToSignIn(explainNoRoom(wrong) + before);
    return undefined;
  }
}

/** The host's seat with a name on it, so that the server can tell everybody. @param {import('./ui/keep.js').Seat} seat */
async function named(seat) {
  const { name } = keep.choices;
  if (!name) return seat;
  const proof = house.session ? {} : { token: seat.ticket };
  // Without, the others learn the name over the data channel.
  return house.createTicket(seat.room.id, { role: 'host', name }, proof).catch(() => seat);
}

/** @param {import('../sdk.js').Room} room one of our own @returns {Promise<string|undefined>} */
const enterOwn = (room) => tryFor(() => house.createTicket(room.id, { role: 'host', ...(keep.choices.name ? { name: keep.choices.name } : {}) }), explain);

setUpSignIn({ house, done: start, over: () => drawRooms(house) });
setUpRooms(house, enterOwn);
setUpDoors({
  start: () => tryFor(() => makeRoom(), explainNoRoom),
  join: (name) => tryFor(() => house.redeem(invite ?? '', { name }), explain),
  again: start,
  retry: () => { if (last) takeSeat(last); },
  giveUp: () => { stopCall(); start(); },
});
setUpCallView(() => showEnded('You left the call', 'The room stays open for the others.'));
window.addEventListener('hashchange', () => { if (location.hash.length > 1) enterByLink(); });
// A media element that waits for its first picture holds up `load`, and the tab would seem to hang.
if (document.readyState === 'complete') enterByLink();
else window.addEventListener('load', enterByLink, { once: true });
