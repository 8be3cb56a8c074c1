// Files in the chat: a card for each, with what became of it at every person.

import { explain, rateWords, sizeWords } from '../../sdk.js';
import { addToLog, countUnread, head } from './chat.js';
import { el, icon, input, make } from './dom.js';
import { clearNotice, notify } from './notices.js';
import { nameOf } from './tiles.js';

/** @typedef {import('../../sdk.js').Transfer} Transfer */

/** Progress is drawn so often at most: a fast file tells of itself a thousand times a second. */
const DRAW_EVERY_MS = 100;

/** @type {Set<string>} addresses of what came in, given back at the end of the call */
const addresses = new Set();

/** @param {Transfer} transfer */
function wordsOf(transfer) {
  const { state, moved, size, direction, error } = transfer;
  switch (state) {
    case 'offered': return direction === 'in' ? 'Do you want it?' : 'Waiting for them to take it';
    case 'active': {
      const seconds = (performance.now() - transfer.startedAt) / 1000;
      const rate = seconds > 1 ? `, ${rateWords((moved * 8) / seconds)}` : '';
      return `${sizeWords(moved)} of ${sizeWords(size)}${rate}`;
    }
    case 'done': return direction === 'in' ? 'Arrived whole' : 'Delivered';
    case 'declined': return error ? explain(error) : direction === 'in' ? 'You refused it' : 'They refused it';
    case 'cancelled': return 'Cancelled';
    default: return error ? explain(error) : 'Failed';
  }
}

/** @param {Transfer} transfer @param {string} [who] named where a file goes to several */
function line(transfer, who) {
  const bar = make('progress', { max: Math.max(1, transfer.size), value: 0, 'aria-label': `${transfer.name}${who ? `, ${who}` : ''}` });
  const words = make('span', { class: 'words' });
  const keys = make('span', { class: 'keys' });
  const row = make('div', { class: 'moving' }, ...(who ? [make('span', { class: 'to', text: who })] : []), bar, words, keys);
  let drawn = 0;
  const draw = () => {
    drawn = performance.now();
    bar.setAttribute('value', String(transfer.moved));
    bar.hidden = transfer.state !== 'active';
    words.textContent = wordsOf(transfer);
  };
  const stateChanged = () => {
    row.dataset.state = transfer.state;
    keys.replaceChildren(...buttons(transfer));
    draw();
  };
  transfer.on('progress', () => { if (performance.now() - drawn > DRAW_EVERY_MS) draw(); });
  transfer.on('state', stateChanged);
  stateChanged();
  return row;
}

/** @param {Transfer} transfer @returns {Node[]} */
function buttons(transfer) {
  const { state, direction, name } = transfer;
  if (state === 'offered' && direction === 'in') {
    return [make('button', { class: 'small primary', text: 'Accept', 'aria-label': `Accept ${name}`, click: () => transfer.accept() }),
      make('button', { class: 'small', text: 'Refuse', 'aria-label': `Refuse ${name}`, click: () => transfer.decline() })];
  }
  if (!transfer.over) return [make('button', { class: 'small', text: 'Cancel', 'aria-label': `Cancel ${name}`, click: () => transfer.cancel() })];
  if (!transfer.blob) return [];
  // To be kept, never to be shown: a page somebody sent must not open as one of this server's.
  const address = URL.createObjectURL(new Blob([transfer.blob], { type: 'application/octet-stream' }));
  addresses.add(address);
  return [make('a', { class: 'button small primary', text: 'Save', href: address, download: name, 'aria-label': `Save ${name}`, 'data-sha256': transfer.sha256 ?? '' })];
}

/** @param {string} who @param {Transfer[]} transfers of one file */
function card(who, transfers) {
  const [{ name, size, direction }] = transfers;
  const title = make('span', { class: 'file' }, icon('file'), make('span', { class: 'file-name', text: name, title: name }), make('small', { text: sizeWords(size) }));
  const several = transfers.length > 1;
  addToLog(make('li', { class: `card${direction === 'out' ? ' mine' : ''}` }, head(who), title,
    ...transfers.map((one) => line(one, several ? nameOf(one.peer) : undefined))));
}

/** @param {Transfer} transfer */
export function fileOffered(transfer) {
  const who = nameOf(transfer.peer);
  const key = `file-${transfer.peer.id}-${transfer.name}`;
  card(who, [transfer]);
  transfer.on('state', () => {
    clearNotice(key);
    if (transfer.state === 'done' && countUnread()) notify(`${transfer.name} has arrived. It is in the chat.`, { key });
    if (transfer.state === 'failed' && transfer.error) notify(`${transfer.name}: ${explain(transfer.error)}`, { key, bad: true });
  });
  if (transfer.over) return;
  if (countUnread()) {
    notify(`${who} sends ${transfer.name} (${sizeWords(transfer.size)}).`, { key, actions: [
      { label: 'Accept', run: () => transfer.accept() }, { label: 'Refuse', run: () => transfer.decline() },
    ] });
  }
}

/** @param {Iterable<File>} files @param {import('../../sdk.js').Call|undefined} call */
function send(files, call) {
  for (const file of files) {
    const transfers = call?.sendFile(file) ?? [];
    if (transfers.length > 0) card('You', transfers);
    else notify('Nobody is here to send a file to.', { key: 'chat' });
  }
}

export function forgetFiles() {
  for (const address of addresses) URL.revokeObjectURL(address);
  addresses.clear();
}

/** @param {() => import('../../sdk.js').Call|undefined} callNow @param {() => void} openChat */
export function setUpFiles(callNow, openChat) {
  const picker = input('chat-file');
  el('chat-attach').addEventListener('click', () => picker.click());
  picker.addEventListener('change', () => {
    send([...picker.files ?? []], callNow());
    picker.value = '';
  });
  const stage = el('view-call');
  const carries = (/** @type {DragEvent} */ event) => Boolean(event.dataTransfer?.types.includes('Files'));
  const over = (/** @type {boolean} */ shown) => { el('drop-here').hidden = !shown; };
  stage.addEventListener('dragover', (event) => { if (carries(event)) { event.preventDefault(); over(true); } });
  stage.addEventListener('dragleave', (event) => { if (!stage.contains(/** @type {Node|null} */ (event.relatedTarget))) over(false); });
  stage.addEventListener('drop', (event) => {
    over(false);
    if (!carries(event)) return;
    event.preventDefault();
    openChat();
    send([...event.dataTransfer?.files ?? []], callNow());
  });
}
