// The views before and after a call: start, join with a look in the mirror, wait, ended.

import { explainDevices } from '../session/words.js';
import { keep } from '../session/keep.js';
import { el, input, press, show } from './dom.js';

/** @typedef {(name: string, relayOnly: boolean) => Promise<string|undefined>} Go answers with what went wrong */

/**
 * A form that asks for a name and the way, and goes on when submitted.
 * @param {'start'|'join'} view @param {Go} go
 */
function door(view, go) {
  const button = /** @type {HTMLButtonElement} */ (el(`${view}-go`));
  el(`${view}-form`).addEventListener('submit', async (event) => {
    event.preventDefault();
    const name = input(`${view}-name`).value.trim();
    const relayOnly = input(`${view}-relay`).checked;
    keep.choices = { ...keep.choices, name, relayOnly };
    el(`${view}-wrong`).textContent = '';
    button.disabled = true;
    const wrong = await go(name, relayOnly);
    button.disabled = false;
    if (wrong) {
      el(`${view}-wrong`).textContent = wrong;
      button.focus();
    }
  });
}

/** @param {'start'|'join'} view */
function open(view) {
  input(`${view}-name`).value = keep.choices.name;
  input(`${view}-relay`).checked = keep.choices.relayOnly;
  el(`${view}-wrong`).textContent = '';
  show(view);
}

/** @param {{start: Go, join: Go, again: () => void, retry: () => void, giveUp: () => void}} then */
export function setUpDoors(then) {
  door('start', then.start);
  door('join', then.join);
  el('ended-again').addEventListener('click', then.again);
  el('ended-retry').addEventListener('click', then.retry);
  el('wait-leave').addEventListener('click', then.giveUp);
}

/** @type {import('../session/media.js').Media|undefined} */
let mirrored;

function drawMirror() {
  if (!mirrored) return;
  const video = /** @type {HTMLVideoElement} */ (el('join-video'));
  const wanted = mirrored.camera ? mirrored.stream : null;
  if (video.srcObject !== wanted) video.srcObject = wanted;
  video.parentElement?.classList.toggle('off', !mirrored.camera);
  press('join-mic', mirrored.mic);
  press('join-camera', mirrored.camera);
  el('join-devices').textContent = explainDevices(mirrored.trouble);
}

el('join-mic').addEventListener('click', () => mirrored?.toggleMic());
el('join-camera').addEventListener('click', () => mirrored?.toggleCamera());

export const showStart = () => open('start');

/** @param {import('../session/media.js').Media} media already asked to open */
export function showJoin(media) {
  mirrored?.removeEventListener('changed', drawMirror);
  mirrored = media;
  media.addEventListener('changed', drawMirror);
  drawMirror();
  open('join');
}

/** @param {'connecting'|'lobby'|'lost'} why */
export function showWait(why) {
  const [title, text] = {
    connecting: ['Connecting…', 'One moment.'],
    lobby: ['Waiting to be let in', 'The host has been told that you are here.'],
    lost: ['Looking for the server…', 'It does not answer at the moment. This page keeps trying.'],
  }[why];
  el('wait-title').textContent = title;
  el('wait-text').textContent = text;
  if (el('view-wait').hidden) show('wait');
}

/** @param {string} title @param {string} text @param {boolean} [retry] the same seat may still be had */
export function showEnded(title, text, retry = false) {
  el('ended-title').textContent = title;
  el('ended-text').textContent = text;
  el('ended-retry').hidden = !retry;
  show('ended');
}
