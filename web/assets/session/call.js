// A call: the people in the room, each a `Peer`, held together by one `Signalling`. Free of DOM.

import { Peer } from './peer.js';
import { Signalling } from './signalling.js';

/**
 * @typedef {object} Self what the others are told about us over the data channel
 * @property {string} name
 * @property {boolean} mic
 * @property {boolean} camera
 */

/**
 * Events: `status` and `closed` as `Signalling` has them; `room` (detail: `{room, role}`);
 * `joined` and `left` (detail: `{peer, reason?}`); `changed` (detail: a Peer whose name, devices,
 * stream or connection changed); `chat` (detail: `{peer, text}`); `knock` (detail: `{peer, name}`);
 * `gone` (detail: the id of someone who no longer waits to be let in);
 * `refused` (detail: `{code, message}`); `iceerror` (detail: `{peer, url, code, text}`);
 * `norelay` (detail: Peer; only relayed paths are wanted and no relay answered).
 */
export class Call extends EventTarget {
  /** @type {Map<string, Peer & {remote?: MediaStream, told?: Self, role?: string}>} */
  peers = new Map();
  /** @type {RTCIceServer[]} */
  iceServers = [];
  role = 'guest';

  /**
   * @param {{url: string, token: string, stream: MediaStream, self: Self, relayOnly: boolean}} given
   */
  constructor({ url, token, stream, self, relayOnly }) {
    super();
    this.stream = stream;
    this.self = self;
    this.relayOnly = relayOnly;
    this.signalling = new Signalling({ url, token });
    this.signalling.addEventListener('message', (event) => this.#heard(/** @type {CustomEvent} */ (event).detail));
    for (const name of ['status', 'closed']) {
      this.signalling.addEventListener(name, (event) => this.#tell(name, /** @type {CustomEvent} */ (event).detail));
    }
    this.signalling.connect();
  }

  /** @returns {RTCConfiguration} */
  get configuration() {
    return { iceServers: this.iceServers, iceTransportPolicy: this.relayOnly ? 'relay' : 'all' };
  }

  /** @param {boolean} wanted only paths through the relay; running connections are built anew */
  setRelayOnly(wanted) {
    if (wanted === this.relayOnly) return;
    this.relayOnly = wanted;
    for (const peer of this.peers.values()) peer.configure(this.configuration);
  }

  /** Our tracks, name or switches changed. @param {Partial<Self>} self */
  update(self) {
    this.self = { ...this.self, ...self };
    for (const peer of this.peers.values()) {
      peer.tracksChanged();
      peer.say({ kind: 'self', ...this.self });
    }
  }

  /** @param {string} text @returns {number} how many people it went to */
  chat(text) {
    return [...this.peers.values()].filter((peer) => peer.say({ kind: 'chat', text })).length;
  }

  /** The machine moved to another network: nothing of the old paths may be trusted. */
  networkChanged() {
    this.signalling.reconnect();
    for (const peer of this.peers.values()) peer.restart();
  }

  /** @param {string} peer who waits in the lobby @param {boolean} admit */
  answerKnock(peer, admit) {
    this.signalling.send({ type: admit ? 'admit' : 'deny', peer });
  }

  leave() {
    for (const id of [...this.peers.keys()]) this.#drop(id, 'left');
    this.signalling.leave();
  }

  /** @param {any} message */
  #heard(message) {
    switch (message.type) {
      case 'ready': this.#ready(message); break;
      case 'joined': this.#joined(message); break;
      case 'left': this.#drop(message.peer, message.reason); break;
      case 'offer': case 'answer': case 'candidate': this.peers.get(message.from)?.receive(message); break;
      case 'iceServers': this.#freshServers(message.iceServers); break;
      case 'room': this.#tell('room', { room: message, role: this.role }); break;
      case 'knock': this.#tell('knock', message); break;
      case 'error': this.#tell('refused', { code: message.code, message: message.message }); break;
      default:
    }
  }

  /** @param {any} message */
  #ready({ peer, room, role, peers, iceServers, resumed }) {
    this.id = peer;
    this.role = role;
    this.iceServers = iceServers;
    this.#tell('room', { room, role });
    const present = new Set(peers.map((/** @type {{peer: string}} */ one) => one.peer));
    for (const id of [...this.peers.keys()]) {
      if (!present.has(id)) this.#drop(id, 'dropped');
      // Our seat is a new one: the others hold nothing of what we had with them.
      else if (resumed === false) this.#drop(id, 'replaced');
    }
    for (const one of peers) {
      const known = this.peers.get(one.peer);
      if (known) known.polite = one.polite;
      else this.#add(one, true);
    }
    this.#freshServers(iceServers);
  }

  /** @param {any} one */
  #joined(one) {
    // Someone we still hold came back without their old seat: what we had with them is gone.
    this.#drop(one.peer, 'replaced');
    this.#add(one, false);
  }

  /** @param {{peer: string, name?: string|null, polite: boolean, role?: string}} one @param {boolean} initiate */
  #add({ peer: id, name, polite, role }, initiate) {
    const peer = /** @type {Peer & {remote?: MediaStream, told?: Self, role?: string}} */ (new Peer({
      id, name, polite, initiate,
      configuration: this.configuration,
      stream: this.stream,
      send: (message) => this.signalling.send(message),
    }));
    peer.role = role;
    const changed = () => this.#tell('changed', peer);
    peer.addEventListener('connection', changed);
    peer.addEventListener('stream', (event) => {
      peer.remote = /** @type {CustomEvent} */ (event).detail;
      changed();
    });
    peer.addEventListener('channel', (event) => {
      if (/** @type {CustomEvent} */ (event).detail) peer.say({ kind: 'self', ...this.self });
      changed();
    });
    peer.addEventListener('heard', (event) => this.#said(peer, /** @type {CustomEvent} */ (event).detail));
    peer.addEventListener('iceerror', (event) => this.#tell('iceerror', { peer, .../** @type {CustomEvent} */ (event).detail }));
    peer.addEventListener('gathered', (event) => {
      if (this.relayOnly && !(/** @type {CustomEvent} */ (event).detail.includes('relay'))) this.#tell('norelay', peer);
    });
    this.peers.set(id, peer);
    this.#tell('joined', { peer });
  }

  /** @param {string} id @param {string} [reason] */
  #drop(id, reason) {
    const peer = this.peers.get(id);
    if (!peer) {
      this.#tell('gone', id);
      return;
    }
    this.peers.delete(id);
    peer.close();
    this.#tell('left', { peer, reason });
  }

  /** @param {RTCIceServer[]} iceServers */
  #freshServers(iceServers) {
    this.iceServers = iceServers;
    for (const peer of this.peers.values()) peer.configure(this.configuration);
  }

  /** @param {Peer & {told?: Self}} peer @param {any} value */
  #said(peer, value) {
    switch (value?.kind) {
      case 'self':
        peer.told = { name: String(value.name ?? '').slice(0, 80), mic: Boolean(value.mic), camera: Boolean(value.camera) };
        peer.name = peer.told.name || peer.name;
        this.#tell('changed', peer);
        break;
      case 'chat': this.#tell('chat', { peer, text: String(value.text ?? '').slice(0, 4000) }); break;
      case 'probe': peer.say({ kind: 'probed', n: value.n }); break;
      default:
    }
  }

  /** @param {string} name @param {unknown} detail */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
