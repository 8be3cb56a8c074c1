// What people say to each other from browser to browser: who they are, chat, data and files.

import { Emitter } from './emitter.js';
import { Files } from './files.js';

const CHAT_LENGTH = 4000;
const NAME_LENGTH = 80;

/** The half of a call that needs no server. */
export class Talk extends Emitter {
  /** @type {Map<string, import('./peer.js').Peer>} */ peers = new Map();
  self = { name: '', mic: false, camera: false, screen: false };
  #files;

  /** @param {number} largestFile bytes a file offered to us may have */
  constructor(largestFile) {
    super();
    this.#files = new Files(largestFile);
    this.#files.on('file', (transfer) => this.tell('file', transfer));
  }

  /** Writes to everybody, or to some. @param {string} text @param {string[]} [to] @returns {number} how many it went to */
  chat(text, to) { return this.#say({ kind: 'chat', text: text.slice(0, CHAT_LENGTH) }, to); }

  /** Any JSON, from browser to browser. @param {unknown} data @param {string[]} [to] @returns {number} how many it went to */
  send(data, to) { return this.#say({ kind: 'data', data }, to); }

  /** Offers a file. @param {File|Blob} file @param {{to?: string[], name?: string}} [how] @returns {import('./transfer.js').Transfer[]} one for each person */
  sendFile(file, { to, name } = {}) { return this.#files.send(file, this.#some(to), name); }

  /** Tells everybody who we are, or whom we now are. @param {Iterable<import('./peer.js').Peer>} [peers] */
  introduce(peers = this.peers.values()) {
    for (const peer of peers) peer.say({ kind: 'self', ...this.self, files: true });
  }

  /** Hears what somebody says. @param {import('./peer.js').Peer} peer */
  listenTo(peer) {
    const changed = () => this.tell('peer', peer);
    peer.on('channel', (open) => { if (open) this.introduce([peer]); changed(); });
    peer.on('heard', (value) => this.#said(peer, value));
    peer.on('files', () => this.#files.opened(peer));
    peer.on('frame', (frame) => this.#files.frame(peer, frame));
  }

  /** Somebody is gone, and so is what was on its way. @param {import('./peer.js').Peer} peer */
  listenNoMore(peer) { this.#files.dropped(peer); }

  /** @param {string[]} [to] */
  #some(to) { return [...this.peers.values()].filter((peer) => !to || to.includes(peer.id)); }

  /** @param {object} value @param {string[]} [to] */
  #say(value, to) { return this.#some(to).filter((peer) => peer.say(value)).length; }

  /** @param {import('./peer.js').Peer} peer @param {any} value */
  #said(peer, value) {
    const kind = String(value?.kind ?? '');
    if (kind === 'self') {
      const { name = '', mic, camera, screen, files } = value;
      peer.told = { name: String(name).slice(0, NAME_LENGTH), mic: Boolean(mic), camera: Boolean(camera), screen: Boolean(screen), files: Boolean(files) };
      // The name of its ticket, where it has one, is what the host let in.
      peer.name ||= peer.told.name;
      this.tell('peer', peer);
    } else if (kind === 'chat') {
      this.tell('chat', { peer, text: String(value.text ?? '').slice(0, CHAT_LENGTH) });
    } else if (kind === 'data') {
      this.tell('data', { peer, data: value.data });
    } else if (kind === 'probe') {
      peer.say({ kind: 'probed', n: value.n });
    } else if (kind.startsWith('file')) {
      this.#files.heard(peer, value);
    }
  }
}
