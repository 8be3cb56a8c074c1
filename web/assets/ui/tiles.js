// One tile a person: their picture or initials, name, and whether they are muted.

import { el, initials, make, part } from './dom.js';
import { keep } from './keep.js';

/** @typedef {import('../../sdk.js').Peer} Person */

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
  const tile = make('figure', { class: 'tile off', 'data-peer': peer.id }, video, make('p', { class: 'blank', 'aria-hidden': 'true' }),
    make('figcaption', {}, make('span', { class: 'who' }), make('span', { class: 'muted', text: 'muted' }), make('span', { class: 'way' })));
  // A picture taken upright is shown whole rather than cut to a strip.
  video.addEventListener('resize', () => tile.classList.toggle('upright', video.videoHeight > video.videoWidth));
  tiles.set(peer.id, tile);
  el('tiles').append(tile);
  hearThrough(keep.choices.speaker ?? '', [video]);
  drawTile(peer);
}

/** @param {Person} peer */
export function drawTile(peer) {
  const tile = tiles.get(peer.id);
  if (!tile) return;
  const [video, blank, who, muted, way] = ['video', '.blank', '.who', '.muted', '.way'].map((one) => part(tile, one));
  who.textContent = nameOf(peer);
  video.setAttribute('aria-label', `${peer.told?.screen ? 'Screen' : 'Video'} of ${nameOf(peer)}`);
  blank.textContent = initials(nameOf(peer));
  muted.hidden = peer.told?.mic !== false;
  way.textContent = WAY[/** @type {keyof WAY} */ (peer.state)] ?? (peer.told?.screen ? 'shows a screen' : '');
  way.hidden = !way.textContent;
  tile.classList.toggle('off', !(peer.told?.camera && peer.remote));
  tile.classList.toggle('screen', Boolean(peer.told?.screen && peer.remote));
  hear(tile, /** @type {HTMLVideoElement} */ (video), peer.remote);
}

/** @param {HTMLElement} tile @param {HTMLVideoElement} video @param {MediaStream} [stream] */
function hear(tile, video, stream) {
  if (!stream || video.srcObject === stream) return;
  video.srcObject = stream;
  video.play().catch((cause) => {
    // Browsers start sound only after a touch or key; a reload into a call has none.
    if (cause?.name !== 'NotAllowedError' || tile.querySelector('.hear')) return;
    const button = make('button', { class: 'hear primary', text: 'Play sound and picture', click: () => { video.play(); button.remove(); } });
    tile.append(button);
  });
}

/** Sends all sound to a loudspeaker, where the browser lets a page choose. @param {string} speaker @param {Iterable<Element>} [videos] */
export function hearThrough(speaker, videos = el('tiles').querySelectorAll('.tile:not(.self) video')) {
  // One that was unplugged since: the browser's choice is as good.
  for (const video of videos) /** @type {any} */ (video).setSinkId?.(speaker).catch(() => {});
}

/** Lights the frame of who speaks. @param {Person} peer @param {boolean} speaks */
export const drawSpeaking = (peer, speaks) => tiles.get(peer.id)?.classList.toggle('speaks', speaks);

/** @param {Person} peer */
export function removeTile(peer) {
  tiles.get(peer.id)?.remove();
  tiles.delete(peer.id);
}

/** In a crowd we are one tile of many; with one other person, a small one in the corner. @param {boolean} crowd */
export function placeSelf(crowd) {
  const tile = el('tile-self');
  const home = crowd ? el('tiles') : /** @type {HTMLElement} */ (el('view-call').querySelector('.stage'));
  if (tile.parentElement !== home || tile.nextElementSibling) home.append(tile);
  // A video that was moved stands still until told to go on; without a picture there is nothing to play.
  /** @type {HTMLVideoElement} */ (el('self-video')).play().catch(() => {});
}

/** @param {import('../../sdk.js').Media} media @param {string} name */
export function drawSelf(media, name) {
  const tile = el('tile-self');
  const video = /** @type {HTMLVideoElement} */ (el('self-video'));
  const wanted = media.camera || media.screen ? media.stream : null;
  if (video.srcObject !== wanted) video.srcObject = wanted;
  video.classList.toggle('mirror', !media.screen);
  tile.classList.toggle('off', !wanted);
  tile.classList.toggle('shows', media.screen);
  part(tile, '.blank').textContent = name ? initials(name) : 'You';
  part(tile, '.who').textContent = media.screen ? 'Your screen' : 'You';
  part(tile, '.muted').hidden = media.mic;
}
