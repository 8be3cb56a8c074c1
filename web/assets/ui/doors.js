// The views before and after a call: start, join with a look in the mirror, wait, ended.

import { explainDevices } from '../../sdk.js';
import { openDevices } from './devices.js';
import { button as buttonOf, el, input, press, show } from './dom.js';
import { keep } from './keep.js';

/** @typedef {(name: string) => Promise<string|undefined>} Go answers with what went wrong */

/**
 * A form that asks for a name and the way, and goes on when submitted.
 * @param {'start'|'join'} view @param {Go} go
 */
function door(view, go) {
  const button = buttonOf(`${view}-go`);
  el(`${view}-form`).addEventListener('submit', async (event) => {
    event.preventDefault();
    const name = input(`${view}-name`).value.trim();
    const relayOnly = input(`${view}-relay`).checked;
    keep.choices = { ...keep.choices, name, relayOnly };
    el(`${view}-wrong`).textContent = '';
    button.disabled = true;
    const wrong = await go(name);
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

/** @type {import('../../sdk.js').Media|undefined} */
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
el('join-settings').addEventListener('click', () => { if (mirrored) openDevices(mirrored); });

export const showStart = () => open('start');

/** What the room shall be like. @returns {{name?: string, capacity: number, lobby: boolean}} */
export function roomWanted() {
  const name = input('start-room').value.trim();
  return { ...(name ? { name } : {}), capacity: Number(input('start-capacity').value), lobby: input('start-lobby').checked };
}

/** @param {import('../../sdk.js').Media} media already asked to open */
export function showJoin(media) {
  mirrored?.removeEventListener('changed', drawMirror);
  mirrored = media;
  media.addEventListener('changed', drawMirror);
  drawMirror();
  open('join');
}

/** @param {'connecting'|'lobby'|'lost'} why @param {string} [room] its name */
export function showWait(why, room) {
  const [title, text] = {
    connecting: ['Connecting…', 'One moment.'],
    lobby: ['Waiting for the host', `The host${room ? ` of “${room}”` : ''} has been told that you are here${keep.choices.name ? `, as ${keep.choices.name}` : ''}. `
      + 'You come in as soon as they let you; there is nothing else to do.'],
    lost: ['Looking for the server…', 'It does not answer at the moment. This page keeps trying.'],
  }[why];
  el('view-wait').dataset.why = why;
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
