// The call itself: takes a seat with the SDK, and ties it to the controls.

import { explainDevices, explainScreen } from '../../sdk.js';
import { watchCall } from './call-events.js';
import { clearChat, setUpChat } from './chat.js';
import { openDevices, setUpDevices } from './devices.js';
import { el, input, press, show } from './dom.js';
import { forgetFiles, setUpFiles } from './files.js';
import { setUpGrid } from './grid.js';
import { copyInvite, forgetInvite } from './invite.js';
import { keep } from './keep.js';
import { setUpKeys } from './keys.js';
import { clearNotice, clearNotices, notify } from './notices.js';
import { openPanel, resetPanels } from './panels.js';
import { watchPaths } from './paths.js';
import { drawPeople, peopleOf, setUpPeople } from './people.js';
import { drawSelf, drawSpeaking, placeSelf, removeTile } from './tiles.js';

const LISTEN_EVERY_MS = 300;
const LOUD = 0.03;

/** @typedef {{call: import('../../sdk.js').Call, media: import('../../sdk.js').Media, seat: import('./keep.js').Seat, stop: (() => void)[], entered: boolean}} Running */

/** @type {Running|undefined} */
let running;

/**
 * Takes a seat. The view opens when the server has let us in; `then.waiting` is told why not yet.
 * @param {object} given
 * @param {import('../../sdk.js').Relayhouse} given.house
 * @param {import('./keep.js').Seat} given.seat
 * @param {import('../../sdk.js').Media} given.media
 * @param {(why: 'connecting'|'lobby'|'lost', room?: string) => void} given.waiting
 * @param {(code: string, message: string, entered: boolean) => void} given.over the server ended it
 */
export async function startCall({ house, seat, media, waiting, over }) {
  const { name, relayOnly } = keep.choices;
  if (el('view-wait').hidden) waiting('connecting');
  const call = await house.join({ ticket: seat.ticket, media, relayOnly, name });
  const mine = running = /** @type {Running} */ ({ call, media, seat, stop: [], entered: false });
  watchCall(call, () => drawCount(mine));
  mine.stop.push(media.on('changed', () => devicesChanged(mine)));
  call.on('room', ({ room, role }) => entered(mine, room, role));
  call.on('state', (state) => stateChanged(mine, state, waiting));
  call.on('closed', ({ code, error, entered: been }) => {
    // Our own leaving has cleared the table already.
    if (running !== mine) return;
    stopCall();
    over(code, error.message, been);
  });
}

/** @param {Running} mine @param {import('../../sdk.js').Room} room @param {string} role */
function entered(mine, room, role) {
  mine.seat = { ...mine.seat, room: { ...mine.seat.room, ...room } };
  keep.seat = mine.seat;
  clearNotice('server');
  el('call-title').textContent = room.name || 'Call';
  document.title = `${room.name || 'Call'} – Relayhouse`;
  el('call-invite').hidden = role !== 'host';
  el('alone-text').textContent = role === 'host' ? 'Send an invite link. Each link lets one person in, once.' : 'The others will appear here.';
  if (mine.entered) { drawPeople(); return; }
  mine.entered = true;
  input('call-relay').checked = mine.call.relayOnly;
  peopleOf(mine.call);
  mine.stop.push(watchPaths(() => mine.call.peers.values()), listen(mine));
  show('call');
  devicesChanged(mine);
  drawCount(mine);
  const trouble = explainDevices(mine.media.trouble).replace('You can join all the same: you', 'You');
  if (trouble) notify(trouble, { key: 'devices', stays: true });
}

/** @param {Running} mine @param {string} state @param {(why: 'connecting'|'lobby'|'lost', room?: string) => void} waiting */
function stateChanged(mine, state, waiting) {
  if (state === 'waiting') waiting('lobby', mine.call.room?.name ?? undefined);
  else if (state === 'open') clearNotice('server');
  else if (state === 'connecting' && !mine.entered && el('view-wait').hidden) waiting('connecting');
  else if (state === 'lost' && !mine.entered) waiting('lost');
  else if (state === 'lost') notify('The connection to the server is lost. The call goes on while this page looks for it.', { key: 'server', stays: true });
}

/** @param {Running} mine */
function devicesChanged(mine) {
  const { call, media } = mine;
  press('call-mic', media.mic);
  press('call-camera', media.camera);
  press('call-screen', media.screen);
  drawSelf(media, call.self.name);
  if (mine.entered) drawPeople();
}

/** @param {Running} mine */
function drawCount({ call, media }) {
  const others = call.peers.size;
  el('view-call').querySelector('.stage')?.classList.toggle('empty', others === 0);
  el('call-count').textContent = others === 0 ? 'Only you' : `${others + 1} people`;
  placeSelf(others > 1);
  drawSelf(media, call.self.name);
  if (others > 0) forgetInvite();
}

/** Lights the frames of who speaks. @param {Running} mine @returns {() => void} */
function listen({ call }) {
  const timer = setInterval(() => {
    for (const peer of call.peers.values()) drawSpeaking(peer, peer.told?.mic !== false && peer.level > LOUD);
  }, LISTEN_EVERY_MS);
  return () => clearInterval(timer);
}

/** Gives the seat up and puts the view back as it was. */
export function stopCall() {
  if (!running) return;
  const { call, media, stop } = running;
  running = undefined;
  for (const one of stop) one();
  for (const peer of call.peers.values()) removeTile(peer);
  call.leave();
  media.close();
  keep.seat = undefined;
  document.title = 'Relayhouse';
  peopleOf(undefined);
  clearNotices();
  clearChat();
  forgetFiles();
  forgetInvite();
  resetPanels();
  for (const dialog of document.querySelectorAll('dialog')) dialog.close();
}

/** @param {() => void} left */
export function setUpCallView(left) {
  const invite = () => {
    if (running && !el('call-invite').hidden) copyInvite(() => /** @type {Running} */ (running).call.invite());
  };
  const switchMic = () => toggle('audio', 'toggleMic');
  const switchCamera = () => toggle('video', 'toggleCamera');
  const switchScreen = () => toggle('screen', 'toggleScreen');
  el('call-mic').addEventListener('click', switchMic);
  el('call-camera').addEventListener('click', switchCamera);
  el('call-screen').addEventListener('click', switchScreen);
  // Phones have no screens to share with a page.
  el('call-screen').hidden = !('getDisplayMedia' in (navigator.mediaDevices ?? {}));
  el('call-settings').addEventListener('click', () => { if (running) openDevices(running.media); });
  el('call-invite').addEventListener('click', invite);
  el('call-leave').addEventListener('click', () => { stopCall(); left(); });
  input('call-relay').addEventListener('change', () => {
    const relayOnly = input('call-relay').checked;
    keep.choices = { ...keep.choices, relayOnly };
    running?.call.setRelayOnly(relayOnly);
    for (const id of running?.call.peers.keys() ?? []) clearNotice(`relay-${id}`);
  });
  setUpGrid();
  setUpDevices();
  setUpPeople();
  setUpChat((text) => running?.call.chat(text) ?? 0);
  setUpFiles(() => running?.call, () => openPanel('chat'));
  setUpKeys({ m: switchMic, v: switchCamera, s: switchScreen, i: invite });
}

/** @param {'audio'|'video'|'screen'} kind @param {'toggleMic'|'toggleCamera'|'toggleScreen'} how */
async function toggle(kind, how) {
  if (!running) return;
  const { media } = running;
  await media[how]();
  clearNotice('devices');
  const words = kind === 'screen' ? explainScreen(media.trouble.screen)
    : media.trouble[kind] === 'none' ? '' : explainDevices({ audio: 'none', video: 'none', [kind]: media.trouble[kind] });
  if (words) notify(words, { key: 'devices', stays: true });
}
