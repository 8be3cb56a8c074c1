// Short sentences at the top of the page, read out by a screen reader. News fades; trouble stays.

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
    const button = make('button', { text: label });
    button.addEventListener('click', () => { run(); drop(); });
    notice.append(button);
  }
  if (actions.length === 0) {
    const close = make('button', { class: 'quiet' });
    close.setAttribute('aria-label', 'Dismiss');
    close.append(make('span', { text: '✕' }));
    close.addEventListener('click', drop);
    notice.append(close);
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

export function clearNotices() {
  for (const key of [...shown.keys()]) clearNotice(key);
}
