// What happens in a call, as people see it: every event of the SDK and what the page does about it.

import { explain, explainIce, leftWords } from '../../sdk.js';
import { heardChat } from './chat.js';
import { fileOffered } from './files.js';
import { clearNotice, notify } from './notices.js';
import { drawPeople, lobbyChanged } from './people.js';
import { addTile, drawTile, nameOf, removeTile } from './tiles.js';

/** @typedef {import('../../sdk.js').Call} Call */
/** @typedef {import('../../sdk.js').Peer} Person */

/** Errors that answer to nothing a person did. */
const QUIET = new Set(['no_such_peer']);
const REFUSED = 'The relay refused this page’s credentials';
/** A path that is silent for a moment often comes back by itself. */
const PATIENCE_MS = 2500;

/** @param {Call} call @param {() => void} countChanged */
export function watchCall(call, countChanged) {
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */ const lost = new Map();
  /** @type {Map<string, {code: number, words: string}>} */ const iceTrouble = new Map();
  /** @type {Set<string>} */ const greeted = new Set();
  const entered = performance.now();

  call.on('joined', ({ peer }) => {
    clearNotice(`left-${peer.id}`);
    clearNotice('invite');
    addTile(peer);
    drawPeople();
    countChanged();
  });
  call.on('peer', (peer) => {
    if (!call.peers.has(peer.id)) return;
    drawTile(peer);
    drawPeople();
    if (peer.state === 'connected') clearNotice(`relay-${peer.id}`);
    if (peer.state === 'connected' && peer.told && !greeted.has(peer.id)) {
      greeted.add(peer.id);
      // Who was here before us needs no introduction.
      if (!peer.polite && performance.now() - entered > 1000) notify(`${nameOf(peer)} has joined.`, { key: `left-${peer.id}` });
    }
    pathOf(peer, lost);
  });
  call.on('left', ({ peer, reason }) => {
    clearTimeout(lost.get(peer.id));
    lost.delete(peer.id);
    removeTile(peer);
    for (const key of ['relay', 'path']) clearNotice(`${key}-${peer.id}`);
    drawPeople();
    countChanged();
    if (reason === 'replaced' || call.state === 'closed') return;
    greeted.delete(peer.id);
    notify(`${nameOf(peer)} ${leftWords(reason)}`, { key: `left-${peer.id}` });
  });
  call.on('knock', lobbyChanged);
  call.on('gone', lobbyChanged);
  call.on('chat', ({ peer, text }) => heardChat(nameOf(peer), text));
  call.on('file', fileOffered);
  call.on('error', (wrong) => { if (!QUIET.has(wrong.code)) notify(explain(wrong), { key: 'refused', bad: true }); });
  call.on('network', ({ online }) => {
    if (online) clearNotice('network');
    else notify('This device has no network. The call goes on when it is back.', { key: 'network', bad: true });
  });
  call.on('iceerror', ({ peer, url, code, text }) => {
    if (/^stun:/.test(url)) return; // the relay's answer is what counts
    iceTrouble.set(peer.id, { code, words: explainIce({ url, code, text }) });
    if (code === 401) notify(`${REFUSED}. ${explainIce({ url, code, text })}`, { key: `relay-${peer.id}`, bad: true });
  });
  call.on('norelay', (peer) => {
    const { code, words = '' } = iceTrouble.get(peer.id) ?? {};
    const first = code === 401 ? REFUSED : 'The relay did not answer';
    notify(`${first}, and only the relay may be used. ${words} Switch “Through the relay only” off to try a direct path.`, { key: `relay-${peer.id}`, bad: true });
  });
}

/** Says when the way to somebody is lost, and when it is found again. @param {Person} peer @param {Map<string, ReturnType<typeof setTimeout>>} lost */
function pathOf(peer, lost) {
  const key = `path-${peer.id}`;
  if (peer.state === 'disconnected' || peer.state === 'failed') {
    if (lost.has(peer.id)) return;
    lost.set(peer.id, setTimeout(() => notify(`The connection to ${nameOf(peer)} is lost. Looking for another path…`, { key, bad: true }), PATIENCE_MS));
  } else if (peer.state === 'connected' && lost.has(peer.id)) {
    clearTimeout(lost.get(peer.id));
    lost.delete(peer.id);
    clearNotice(key);
  }
}
