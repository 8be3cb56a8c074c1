// The page: reads the link it was opened with, and moves between start, join, call and ended.

import { Api, ApiError } from './session/api.js';
import { keep } from './session/keep.js';
import { Media } from './session/media.js';
import { explain, explainNoRoom } from './session/words.js';
import { setUpCallView, startCall, stopCall } from './ui/call-view.js';
import { setUpDoors, showEnded, showJoin, showStart, showWait } from './ui/doors.js';

const api = new Api(location.origin);
/** @type {Media|undefined} the devices of the join view, handed on to the call */
let media;
/** @type {string|undefined} */
let invite;
/** @type {import('./session/keep.js').Seat|undefined} a seat that was refused for now */
let last;

/** The fragment never reaches a server; a secret in it leaves the address bar as soon as it is read. */
function readLink() {
  const link = new URLSearchParams(location.hash.slice(1));
  const creator = link.get('creator');
  invite = link.get('invite') ?? undefined;
  if (creator) keep.creator = creator;
  if (creator) history.replaceState(null, '', location.pathname);
}

async function enterByLink() {
  readLink();
  if (invite) {
    stopCall();
    media?.close();
    media = new Media();
    showJoin(media);
    await media.open();
  } else if (keep.seat) {
    await takeSeat(keep.seat);
  } else {
    showStart();
  }
}

/** @param {import('./session/keep.js').Seat} seat */
async function takeSeat(seat) {
  keep.seat = seat;
  invite = undefined;
  history.replaceState(null, '', location.pathname);
  if (!media) {
    showWait('connecting');
    media = new Media();
    await media.open();
  }
  const mine = media;
  media = undefined;
  startCall({ api, seat, media: mine, waiting: showWait, over: (...why) => over(seat, ...why) });
}

/** Refusals that pass: the ticket stays good. */
const PASSES = new Set(['room_full', 'room_locked', 'busy', 'replaced']);

/** @param {import('./session/keep.js').Seat} seat @param {string} code @param {string} message @param {boolean} entered */
function over(seat, code, message, entered) {
  last = PASSES.has(code) ? seat : undefined;
  showEnded(entered ? 'The call has ended' : 'You could not come in', explain({ code, message }), Boolean(last));
}

/** @param {() => Promise<import('./session/keep.js').Seat>} ask @param {(wrong: ApiError) => string} words */
async function tryFor(ask, words) {
  let seat;
  try {
    seat = await ask();
  } catch (wrong) {
    if (wrong instanceof ApiError) return words(wrong);
    throw wrong;
  }
  await takeSeat(seat);
  return undefined;
}

/** A creator ticket that is too old must not stand in the way where the server is open. */
async function makeRoom() {
  try {
    return await api.createRoom({}, keep.creator);
  } catch (wrong) {
    if (!keep.creator || !(wrong instanceof ApiError) || wrong.status !== 401) throw wrong;
    keep.creator = undefined;
    return api.createRoom({});
  }
}

setUpDoors({
  start: () => tryFor(makeRoom, explainNoRoom),
  join: (name) => tryFor(() => api.redeem(invite ?? '', name), explain),
  again: showStart,
  retry: () => { if (last) takeSeat(last); },
  giveUp: () => { stopCall(); showStart(); },
});
setUpCallView(() => showEnded('You left the call', 'The room stays open for the others.'));
window.addEventListener('hashchange', () => { if (location.hash.length > 1) enterByLink(); });
// A media element that waits for its first picture holds up `load`, and the tab would seem to hang.
if (document.readyState === 'complete') enterByLink();
else window.addEventListener('load', enterByLink, { once: true });
