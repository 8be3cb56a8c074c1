// Short sentences at the top of the page, read out by a screen reader. News fades; trouble stays. Shared by all pages.

import { el, make } from './dom.js';

const FADES_AFTER_MS = 7000;
/** @type {Map<string, HTMLElement>} */
const shown = new Map();

/**
 * @param {string} text
 * @param {object} [how]
 * @param {string} [how.key] a later notice with the same key takes this one's place
 * @param {boolean} [how.bad] trouble: said at once, and stays until dismissed or cleared
 * @param {boolean} [how.stays]
 * @param {{label: string, run: () => void}[]} [how.actions]
 */
export function notify(text, { key = text, bad = false, stays = bad, actions = [] } = {}) {
  clearNotice(key);
  const notice = make('div', { class: bad ? 'notice bad' : 'notice' }, make('p', { text }));
  const drop = () => { if (shown.get(key) === notice) clearNotice(key); };
  for (const { label, run } of actions) {
    notice.append(make('button', { text: label, click: () => { run(); drop(); } }));
  }
  if (actions.length === 0) {
    notice.append(make('button', { class: 'quiet', text: '✕', 'aria-label': 'Dismiss', click: drop }));
  }
  el(bad ? 'notices-urgent' : 'notices-polite').append(notice);
  shown.set(key, notice);
  if (!stays && actions.length === 0) setTimeout(drop, FADES_AFTER_MS);
}

/** @param {string} key */
export function clearNotice(key) {
  shown.get(key)?.remove();
  shown.delete(key);
}

/** @param {string} [prefix] of the keys; every notice without */
export function clearNotices(prefix = '') {
  for (const key of [...shown.keys()]) if (key.startsWith(prefix)) clearNotice(key);
}
