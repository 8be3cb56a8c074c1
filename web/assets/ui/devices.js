// Which microphone, camera and loudspeaker.

import { explainDevices } from '../../sdk.js';
import { el, make } from './dom.js';
import { keep } from './keep.js';
import { hearThrough } from './tiles.js';

const KINDS = /** @type {const} */ ({ audio: 'audioinput', video: 'videoinput', speaker: 'audiooutput' });
const NAMES = { audio: 'Microphone', video: 'Camera', speaker: 'Loudspeaker' };
/** @typedef {keyof typeof KINDS} Kind */

/** @type {import('../../sdk.js').Media|undefined} */
let media;
/** @type {(() => void)|undefined} */
let stop;

/** @param {Kind} kind @returns {HTMLSelectElement} */
const list = (kind) => /** @type {HTMLSelectElement} */ (el(`settings-${kind}`));

async function draw() {
  if (!media) return;
  const all = await media.devices();
  for (const kind of /** @type {Kind[]} */ (Object.keys(KINDS))) {
    const found = all.filter((one) => one.kind === KINDS[kind] && one.deviceId !== 'default' && one.deviceId !== 'communications');
    const now = kind === 'speaker' ? keep.choices.speaker ?? '' : media.deviceOf(kind);
    const standard = make('option', { value: '', text: 'The browser’s choice' });
    list(kind).replaceChildren(standard, ...found.map((one, at) => make('option', { value: one.deviceId, text: one.label || `${NAMES[kind]} ${at + 1}` })));
    list(kind).value = found.some((one) => one.deviceId === now) ? now : '';
    list(kind).disabled = found.length === 0;
  }
  // Firefox and Safari leave the loudspeaker to the system.
  const choosable = 'setSinkId' in HTMLMediaElement.prototype;
  /** @type {HTMLElement} */ (list('speaker').parentElement).hidden = !choosable;
  el('settings-note').textContent = explainDevices(media.trouble);
}

/** @param {import('../../sdk.js').Media} mine */
export function openDevices(mine) {
  media = mine;
  stop?.();
  stop = media.on('devices', draw);
  draw();
  /** @type {HTMLDialogElement} */ (el('settings')).showModal();
}

export function setUpDevices() {
  for (const kind of /** @type {const} */ (['audio', 'video'])) {
    list(kind).addEventListener('change', async () => {
      keep.choices = { ...keep.choices, [kind]: list(kind).value };
      await media?.use(kind, list(kind).value);
      draw();
    });
  }
  list('speaker').addEventListener('change', () => {
    keep.choices = { ...keep.choices, speaker: list('speaker').value };
    hearThrough(list('speaker').value);
  });
}

/** Gives new media the devices that were chosen before. @param {import('../../sdk.js').Media} mine */
export function rememberDevices(mine) {
  const { audio, video } = keep.choices;
  mine.chosen = { audio, video };
}
