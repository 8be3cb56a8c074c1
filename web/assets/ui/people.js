// Who is here, who waits in the lobby, and what a host may do about it.

import { el, icon, initials, input, make, sure } from './dom.js';
import { clearNotice, notify } from './notices.js';
import { drawBadge, isOpen, openPanel, setUpPanel } from './panels.js';
import { nameOf } from './tiles.js';

/** @typedef {import('../../sdk.js').Call} Call */
/** @type {Call|undefined} */
let call;

/** @param {string} name @param {string[]} tags @param {Node[]} ends */
function row(name, tags, ends) {
  return make('li', {}, make('span', { class: 'face', text: initials(name), 'aria-hidden': 'true' }),
    make('span', { class: 'person' }, make('b', { text: name }), make('small', { text: tags.filter(Boolean).join(' · ') })), ...ends);
}

/** @param {{mic: boolean, camera: boolean}|undefined} told */
function switches(told) {
  if (!told) return [];
  const mark = (/** @type {boolean} */ on, /** @type {string} */ what, /** @type {string} */ name) => {
    const drawn = icon(what, `${name} ${on ? 'on' : 'off'}`);
    drawn.classList.add(on ? 'on' : 'out');
    return drawn;
  };
  return [make('span', { class: 'marks' }, mark(told.mic, 'mic', 'microphone'), mark(told.camera, 'camera', 'camera'))];
}

/** @param {import('../../sdk.js').Peer} peer */
async function remove(peer) {
  const name = nameOf(peer);
  const yes = await sure({ title: `Remove ${name}?`, text: 'They leave the call at once and cannot come back with their invite.', yes: 'Remove' });
  if (yes) call?.kick(peer.id);
}

const STATE = { connected: '', new: 'connecting', connecting: 'connecting', disconnected: 'reconnecting', failed: 'reconnecting', closed: '' };

/** Draws everything anew; a panel of a few lines. */
export function drawPeople() {
  if (!call) return;
  const host = call.role === 'host';
  const { self } = call;
  const mine = row(self.name || 'You', [self.name ? 'you' : '', host ? 'host' : ''], switches(self));
  const others = [...call.peers.values()].map((peer) => {
    const kick = make('button', { class: 'quiet small', text: 'Remove', 'aria-label': `Remove ${nameOf(peer)}`, click: () => remove(peer) });
    const tags = [peer.role === 'host' ? 'host' : '', peer.told?.screen ? 'shows a screen' : '', STATE[peer.state]];
    const line = row(nameOf(peer), tags, [...switches(peer.told), ...(host ? [kick] : [])]);
    line.dataset.peer = peer.id;
    return line;
  });
  keepFocus(el('people-list'), [mine, ...others]);
  const waiting = host ? [...call.waiting.values()] : [];
  keepFocus(el('lobby-list'), waiting.map(({ peer, name }) => {
    const line = row(name || 'Someone', [], [
      make('button', { class: 'small primary', text: 'Let in', 'aria-label': `Let ${name || 'someone'} in`, click: () => admit(peer) }),
      make('button', { class: 'small', text: 'Refuse', 'aria-label': `Refuse ${name || 'someone'}`, click: () => call?.deny(peer) }),
    ]);
    line.dataset.peer = peer;
    return line;
  }));
  el('lobby').hidden = waiting.length === 0;
  el('lobby-all').hidden = waiting.length < 2;
  el('people-host').hidden = !host;
  input('room-lock').checked = Boolean(call.room?.locked);
  el('call-locked').hidden = !call.room?.locked;
  drawBadge('people-badge', waiting.length, 'waiting to come in');
}

/** A line that is drawn anew under the finger keeps the focus. @param {HTMLElement} list @param {HTMLElement[]} lines */
function keepFocus(list, lines) {
  const held = document.activeElement;
  const within = held instanceof HTMLElement && list.contains(held) ? held.getAttribute('aria-label') : undefined;
  list.replaceChildren(...lines);
  if (within) /** @type {HTMLElement|null} */ (list.querySelector(`[aria-label="${CSS.escape(within)}"]`))?.focus();
}

/** @param {string} peer */
function admit(peer) { call?.admit(peer); }

/** Tells the host who waits, in one sentence; the open panel shows it by itself. */
export function lobbyChanged() {
  drawPeople();
  const waiting = [...call?.waiting.values() ?? []];
  if (waiting.length === 0 || isOpen('people')) { clearNotice('knock'); return; }
  const [{ peer, name }] = waiting;
  const more = waiting.length - 1;
  const who = `${name || 'Someone'}${more > 0 ? ` and ${more} more` : ''}`;
  notify(`${who} would like to come in.`, { key: 'knock', actions: more > 0 ? [{ label: 'See who', run: () => openPanel('people') }] : [
    { label: 'Let in', run: () => admit(peer) },
    { label: 'Refuse', run: () => call?.deny(peer) },
  ] });
}

/** @param {Call|undefined} now */
export function peopleOf(now) {
  call = now;
  drawPeople();
}

export function setUpPeople() {
  setUpPanel('people', () => { lobbyChanged(); el('people-close').focus(); });
  el('lobby-all').addEventListener('click', () => { for (const id of call?.waiting.keys() ?? []) admit(id); });
  input('room-lock').addEventListener('change', () => {
    if (input('room-lock').checked) call?.lock();
    else call?.unlock();
  });
}
