// A text chat over the data channels. Unread messages are counted while the panel is closed.

import { el, input, make } from './dom.js';
import { clearNotice, notify } from './notices.js';

let unread = 0;

/** @param {boolean} open */
function setOpen(open) {
  el('chat').hidden = !open;
  el('call-chat').setAttribute('aria-expanded', String(open));
  if (!open) return;
  unread = 0;
  drawUnread();
  clearNotice('chat');
  input('chat-text').focus();
}

function drawUnread() {
  const badge = el('chat-unread');
  badge.hidden = unread === 0;
  badge.textContent = String(unread);
  badge.setAttribute('aria-label', `${unread} unread`);
}

/** @param {string} who @param {string} text @param {boolean} mine */
function add(who, text, mine) {
  const line = make('li', { class: mine ? 'mine' : '' }, make('b', { text: who }), make('span', { text }));
  el('chat-log').append(line);
  line.scrollIntoView({ block: 'nearest' });
}

export const toggleChat = () => setOpen(el('chat').hidden);

/** @returns {boolean} whether it was open */
export function closeChat() {
  if (el('chat').hidden) return false;
  setOpen(false);
  el('call-chat').focus();
  return true;
}

/** @param {string} who @param {string} text */
export function heardChat(who, text) {
  add(who, text, false);
  if (!el('chat').hidden) return;
  unread += 1;
  drawUnread();
  notify(`${who}: ${text.length > 120 ? `${text.slice(0, 120)}…` : text}`, { key: 'chat' });
}

export function clearChat() {
  el('chat-log').replaceChildren();
  unread = 0;
  drawUnread();
  el('chat').hidden = true;
  el('call-chat').setAttribute('aria-expanded', 'false');
}

/** @param {(text: string) => number} send answers to how many people it went */
export function setUpChat(send) {
  el('call-chat').addEventListener('click', toggleChat);
  el('chat-close').addEventListener('click', closeChat);
  el('chat-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const field = input('chat-text');
    const text = field.value.trim();
    if (!text) return;
    if (send(text) === 0) {
      notify('Nobody is connected yet, so the message was not sent.', { key: 'chat' });
      return;
    }
    add('You', text, true);
    field.value = '';
  });
}
