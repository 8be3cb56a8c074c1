// The call itself: wires a `Call` and our `Media` to tiles, controls, chat, paths and notices.

import { Call } from '../session/call.js';
import { keep } from '../session/keep.js';
import { explain, explainDevices, explainIce, leftWords } from '../session/words.js';
import { clearChat, heardChat, setUpChat } from './chat.js';
import { el, input, press, show } from './dom.js';
import { copyInvite, forgetInvite } from './invite.js';
import { setUpKeys } from './keys.js';
import { clearNotice, clearNotices, notify } from './notices.js';
import { watchPaths } from './paths.js';
import { addTile, drawSelf, drawTile, nameOf, placeSelf, removeTile } from './tiles.js';

/** @typedef {{call: Call, media: import('../session/media.js').Media, seat: import('../session/keep.js').Seat,
 *   api: import('../session/api.js').Api, stopPaths?: () => void, entered: boolean}} Running */

/** @type {Running|undefined} */
let running;

/**
 * Takes a seat. The view opens when the server has let us in; `then.waiting` is told why not yet.
 * @param {object} given
 * @param {import('../session/api.js').Api} given.api
 * @param {import('../session/keep.js').Seat} given.seat
 * @param {import('../session/media.js').Media} given.media
 * @param {(why: 'connecting'|'lobby'|'lost') => void} given.waiting
 * @param {(code: string, message: string, entered: boolean) => void} given.over the server ended it
 */
export function startCall({ api, seat, media, waiting, over }) {
  const { name, relayOnly } = keep.choices;
  const call = new Call({
    url: api.signalUrl, token: seat.ticket, stream: media.stream, relayOnly,
    self: { name, mic: media.mic, camera: media.camera },
  });
  const mine = running = /** @type {Running} */ ({ call, media, seat, api, entered: false });
  /** @param {string} event @param {(detail: any) => void} run */
  const on = (event, run) => call.addEventListener(event, (one) => run(/** @type {CustomEvent} */ (one).detail));

  media.addEventListener('changed', devicesChanged);
  on('room', ({ room, role }) => entered(mine, room, role));
  on('status', (status) => statusChanged(mine, status, waiting));
  on('closed', ({ code, message }) => {
    // Our own leaving has cleared the table already.
    if (running !== mine) return;
    stopCall();
    over(code, message, mine.entered);
  });
  on('joined', ({ peer }) => {
    clearNotice(`left-${peer.id}`);
    clearNotice('invite');
    addTile(peer);
    drawPeople(mine);
  });
  on('changed', (peer) => { drawTile(peer); if (peer.state === 'connected') clearNotice(`relay-${peer.id}`); });
  on('left', ({ peer, reason }) => someoneLeft(mine, peer, reason));
  on('gone', (id) => clearNotice(`knock-${id}`));
  on('chat', ({ peer, text }) => heardChat(nameOf(peer), text));
  on('knock', (knock) => knocked(mine, knock));
  on('refused', (wrong) => { if (wrong.code !== 'no_such_peer') notify(explain(wrong), { key: 'refused', bad: true }); });
  /** @type {Map<string, string>} */ const iceTrouble = new Map();
  on('iceerror', ({ peer, url, code, text }) => { if (!/^stun:/.test(url)) iceTrouble.set(peer.id, explainIce({ url, code, text })); });
  on('norelay', (peer) => notify(`The relay did not answer, and only the relay may be used. ${iceTrouble.get(peer.id) ?? ''} `
    + 'Switch “Through the relay only” off to try a direct path.', { key: `relay-${peer.id}`, bad: true }));
}

/** @param {Running} mine @param {any} room @param {string} role */
function entered(mine, room, role) {
  mine.seat = { ...mine.seat, room: { ...mine.seat.room, ...room } };
  keep.seat = mine.seat;
  clearNotice('server');
  el('call-title').textContent = mine.seat.room.name || 'Call';
  el('call-invite').hidden = role !== 'host';
  el('alone-text').textContent = role === 'host' ? 'Send an invite link. Each link lets one person in, once.' : 'The others will appear here.';
  if (mine.entered) return;
  mine.entered = true;
  input('call-relay').checked = mine.call.relayOnly;
  mine.stopPaths = watchPaths(() => mine.call.peers.values());
  show('call');
  devicesChanged();
  drawPeople(mine);
  const trouble = explainDevices(mine.media.trouble).replace('You can join all the same: you', 'You');
  if (trouble) notify(trouble, { key: 'devices', stays: true });
}

/** @param {Running} mine @param {string} status @param {(why: 'connecting'|'lobby'|'lost') => void} waiting */
function statusChanged(mine, status, waiting) {
  if (status === 'waiting') waiting('lobby');
  else if (status === 'connecting' && !mine.entered && el('view-wait').hidden) waiting('connecting');
  else if (status === 'lost' && !mine.entered) waiting('lost');
  else if (status === 'lost') notify('The connection to the server is lost. The call goes on while this page looks for it.', { key: 'server', stays: true });
}

function devicesChanged() {
  if (!running) return;
  const { call, media } = running;
  press('call-mic', media.mic);
  press('call-camera', media.camera);
  drawSelf(media, call.self.name);
  call.update({ mic: media.mic, camera: media.camera });
}

/** @param {Running} mine */
function drawPeople({ call }) {
  const others = call.peers.size;
  el('view-call').querySelector('.stage')?.classList.toggle('empty', others === 0);
  el('call-people').textContent = others === 0 ? 'Only you' : `${others + 1} people`;
  placeSelf(others > 1);
  if (others > 0) forgetInvite();
}

/** @param {Running} mine @param {import('./tiles.js').Person} peer @param {string} [reason] */
function someoneLeft(mine, peer, reason) {
  removeTile(peer);
  clearNotice(`relay-${peer.id}`);
  drawPeople(mine);
  if (reason !== 'replaced' && running === mine) notify(`${nameOf(peer)} ${leftWords(reason)}`, { key: `left-${peer.id}` });
}

/** @param {Running} mine @param {{peer: string, name?: string}} knock */
function knocked(mine, { peer, name }) {
  notify(`${name || 'Someone'} would like to come in.`, { key: `knock-${peer}`, actions: [
    { label: 'Let in', run: () => mine.call.answerKnock(peer, true) },
    { label: 'Refuse', run: () => mine.call.answerKnock(peer, false) },
  ] });
}

/** Gives the seat up and puts the view back as it was. */
export function stopCall() {
  if (!running) return;
  const { call, media, stopPaths } = running;
  running = undefined;
  media.removeEventListener('changed', devicesChanged);
  call.leave();
  media.close();
  stopPaths?.();
  keep.seat = undefined;
  clearNotices();
  clearChat();
  forgetInvite();
  const list = /** @type {HTMLDialogElement} */ (el('keys'));
  if (list.open) list.close();
}

/** @param {() => void} left */
export function setUpCallView(left) {
  const invite = () => {
    if (running && !el('call-invite').hidden) {
      const { api, seat } = running;
      copyInvite(() => api.createInvite(seat.room.id, seat.ticket));
    }
  };
  const switchMic = () => toggle('audio', 'toggleMic');
  const switchCamera = () => toggle('video', 'toggleCamera');
  el('call-mic').addEventListener('click', switchMic);
  el('call-camera').addEventListener('click', switchCamera);
  el('call-invite').addEventListener('click', invite);
  el('call-leave').addEventListener('click', () => { stopCall(); left(); });
  input('call-relay').addEventListener('change', () => {
    const relayOnly = input('call-relay').checked;
    keep.choices = { ...keep.choices, relayOnly };
    running?.call.setRelayOnly(relayOnly);
    for (const id of running?.call.peers.keys() ?? []) clearNotice(`relay-${id}`);
  });
  setUpChat((text) => running?.call.chat(text) ?? 0);
  setUpKeys({ m: switchMic, v: switchCamera, i: invite });
  window.addEventListener('online', () => running?.call.networkChanged());
  // Not part of every browser; where it is, it tells of a change from Wi-Fi to mobile.
  /** @type {any} */ (navigator).connection?.addEventListener?.('change', () => running?.call.networkChanged());
}

/** @param {'audio'|'video'} kind @param {'toggleMic'|'toggleCamera'} how */
async function toggle(kind, how) {
  if (!running) return;
  const { media } = running;
  await media[how]();
  clearNotice('devices');
  if (media.trouble[kind] !== 'none') {
    notify(explainDevices({ audio: 'none', video: 'none', [kind]: media.trouble[kind] }), { key: 'devices', stays: true });
  }
}
