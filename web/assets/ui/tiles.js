// One tile a person: their picture or initials, name, and whether they are muted.

import { el, initials, make } from './dom.js';

/** @typedef {import('../session/call.js').Call extends {peers: Map<string, infer P>} ? P : never} Person */

/** @type {Map<string, HTMLElement>} */
const tiles = new Map();

const WAY = { new: 'connecting…', connecting: 'connecting…', disconnected: 'reconnecting…', failed: 'reconnecting…' };

/** @param {Person} peer */
export const nameOf = (peer) => peer.name || (peer.role === 'host' ? 'Host' : 'Guest');

/** @param {Person} peer */
export function addTile(peer) {
  const video = /** @type {HTMLVideoElement} */ (make('video'));
  video.autoplay = true;
  video.playsInline = true;
  const tile = make('figure', { class: 'tile off' }, video, make('p', { class: 'blank' }),
    make('figcaption', {}, make('span', { class: 'who' }), make('span', { class: 'muted', text: 'muted' }), make('span', { class: 'way' })));
  tile.dataset.peer = peer.id;
  tiles.set(peer.id, tile);
  el('tiles').append(tile);
  drawTile(peer);
}

/** @param {Person} peer */
export function drawTile(peer) {
  const tile = tiles.get(peer.id);
  if (!tile) return;
  const [video, blank, who, muted, way] = ['video', '.blank', '.who', '.muted', '.way']
    .map((one) => /** @type {HTMLElement} */ (tile.querySelector(one)));
  who.textContent = nameOf(peer);
  video.setAttribute('aria-label', `Video of ${nameOf(peer)}`);
  blank.textContent = initials(nameOf(peer));
  blank.setAttribute('aria-hidden', 'true');
  muted.hidden = peer.told?.mic !== false;
  way.textContent = WAY[/** @type {keyof WAY} */ (peer.state)] ?? '';
  way.hidden = !way.textContent;
  tile.classList.toggle('off', !(peer.told?.camera && peer.remote));
  hear(tile, /** @type {HTMLVideoElement} */ (video), peer.remote);
}

/** @param {HTMLElement} tile @param {HTMLVideoElement} video @param {MediaStream} [stream] */
function hear(tile, video, stream) {
  if (!stream || video.srcObject === stream) return;
  video.srcObject = stream;
  video.play().catch((cause) => {
    // Browsers start sound only after a touch or key; a reload into a call has none.
    if (cause?.name !== 'NotAllowedError' || tile.querySelector('.hear')) return;
    const button = make('button', { class: 'hear primary', text: 'Play sound and picture' });
    button.addEventListener('click', () => { video.play(); button.remove(); });
    tile.append(button);
  });
}

/** @param {Person} peer */
export function removeTile(peer) {
  tiles.get(peer.id)?.remove();
  tiles.delete(peer.id);
}

/** In a crowd we are one tile of many; with one other person, a small one in the corner. @param {boolean} crowd */
export function placeSelf(crowd) {
  const tile = el('tile-self');
  const home = crowd ? el('tiles') : /** @type {HTMLElement} */ (el('tiles').parentElement);
  if (tile.parentElement !== home || tile.nextElementSibling) home.append(tile);
  // A video that was moved stands still until told to go on; without a picture there is nothing to play.
  /** @type {HTMLVideoElement} */ (el('self-video')).play().catch(() => {});
}

/** @param {import('../session/media.js').Media} media @param {string} name */
export function drawSelf(media, name) {
  const tile = el('tile-self');
  const video = /** @type {HTMLVideoElement} */ (el('self-video'));
  const wanted = media.camera ? media.stream : null;
  if (video.srcObject !== wanted) video.srcObject = wanted;
  tile.classList.toggle('off', !media.camera);
  const [blank, muted] = ['.blank', '.muted'].map((one) => /** @type {HTMLElement} */ (tile.querySelector(one)));
  blank.textContent = name ? initials(name) : 'You';
  muted.hidden = media.mic;
}
