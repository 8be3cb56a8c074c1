// People and chat beside the pictures: one of them is open at a time.

import { el } from './dom.js';

const PANELS = /** @type {const} */ (['people', 'chat']);
/** @typedef {typeof PANELS[number]} Panel */
/** @type {Partial<Record<Panel, () => void>>} */
const opened = {};

/** @param {Panel} name */
export const isOpen = (name) => !el(name).hidden;

/** @param {Panel|undefined} name */
function show(name) {
  for (const one of PANELS) {
    el(one).hidden = one !== name;
    el(`call-${one}`).setAttribute('aria-expanded', String(one === name));
  }
  if (name) opened[name]?.();
}

/** @param {Panel} name */
export function openPanel(name) {
  if (!isOpen(name)) show(name);
}

/** @param {Panel} name */
export function togglePanel(name) {
  if (isOpen(name)) closePanel();
  else show(name);
}

/** Closes what is open, and puts the focus where it came from. */
export function closePanel() {
  const open = PANELS.find(isOpen);
  if (!open) return;
  show(undefined);
  el(`call-${open}`).focus();
}

/** As at the beginning. */
export const resetPanels = () => show(undefined);

/** @param {Panel} name @param {() => void} whenOpened */
export function setUpPanel(name, whenOpened) {
  opened[name] = whenOpened;
  el(`call-${name}`).addEventListener('click', () => togglePanel(name));
  el(`${name}-close`).addEventListener('click', closePanel);
}

/** A number on a control; none for 0. @param {string} id @param {number} count @param {string} what */
export function drawBadge(id, count, what) {
  const badge = el(id);
  badge.hidden = count === 0;
  badge.textContent = String(count);
  badge.setAttribute('aria-label', `${count} ${what}`);
}
