// A text chat over the data channels. Unread messages are counted while the panel is closed.

import { clock, el, input, make } from './dom.js';
import { clearNotice, clearNotices, notify } from './notices.js';
import { drawBadge, isOpen, setUpPanel } from './panels.js';

let unread = 0;

/** @param {number} count */
function setUnread(count) {
  unread = count;
  drawBadge('chat-unread', unread, 'unread');
}

/** Puts a line at the end of the log, and shows it. @param {HTMLElement} line */
export function addToLog(line) {
  el('chat-log').append(line);
  line.scrollIntoView({ block: 'nearest' });
}

/** Who and when, over a line of the log. @param {string} who */
export const head = (who) => make('b', {}, make('span', { text: who }), make('time', { text: clock() }));

/** One more that was not seen yet, if the panel is closed. @returns {boolean} whether it is */
export function countUnread() {
  if (isOpen('chat')) return false;
  setUnread(unread + 1);
  return true;
}

/** @param {string} who @param {string} text */
export function heardChat(who, text) {
  addToLog(make('li', {}, head(who), make('span', { class: 'said', text })));
  if (countUnread()) notify(`${who}: ${text.length > 120 ? `${text.slice(0, 120)}…` : text}`, { key: 'chat' });
}

export function clearChat() {
  el('chat-log').replaceChildren();
  setUnread(0);
}

/** @param {(text: string) => number} send answers to how many people it went */
export function setUpChat(send) {
  setUpPanel('chat', () => {
    setUnread(0);
    clearNotice('chat');
    clearNotices('file-'); // their cards are here
    input('chat-text').focus();
  });
  el('chat-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const field = input('chat-text');
    const text = field.value.trim();
    if (!text) return;
    if (send(text) === 0) {
      notify('Nobody is connected yet, so the message was not sent.', { key: 'chat' });
      return;
    }
    addToLog(make('li', { class: 'mine' }, head('You'), make('span', { class: 'said', text })));
    field.value = '';
  });
}
