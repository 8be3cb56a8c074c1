// Single-key shortcuts in a call, a list of them, and a switch to turn them off (WCAG 2.1.4).

import { el, input } from './dom.js';
import { keep } from './keep.js';
import { closePanel, togglePanel } from './panels.js';

const list = /** @type {HTMLDialogElement} */ (el('keys'));

/** @param {EventTarget|null} target */
const writing = (target) => target instanceof HTMLElement && (target.isContentEditable || target.matches('input:not([type="checkbox"]), textarea, select'));

function openList() {
  input('keys-on').checked = keep.choices.shortcuts;
  list.showModal();
}

/** @param {Record<string, () => void>} actions by key */
export function setUpKeys(actions) {
  const all = { ...actions, c: () => togglePanel('chat'), p: () => togglePanel('people'), '?': openList };
  el('call-keys').addEventListener('click', openList);
  input('keys-on').addEventListener('change', () => {
    keep.choices = { ...keep.choices, shortcuts: input('keys-on').checked };
  });
  document.addEventListener('keydown', (event) => {
    if (el('view-call').hidden || document.querySelector('dialog[open]')) return;
    if (event.key === 'Escape') { closePanel(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || writing(event.target) || !keep.choices.shortcuts) return;
    const action = all[/** @type {keyof typeof all} */ (event.key.toLowerCase())];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
