// A call: a seat in a room, the people there, each a `Peer`, and what is done with them.

import { RelayhouseError } from './errors.js';
import { watchNetwork } from './network.js';
import { Peer } from './peer.js';
import { CallServers } from './servers.js';
import { shareOf } from './share.js';
import { Signalling } from './signalling.js';
import { Talk } from './talk.js';

const LARGEST_FILE = 2 * 2 ** 30;

/**
 * @typedef {object} CallOptions
 * @property {string} [name] shown to the others
 * @property {import('./media.js').Media} [media] our devices; their switches are told to the others
 * @property {MediaStream} [stream] or a stream of your own; call `update` after changing its tracks
 * @property {boolean} [relayOnly] use paths through the relay only
 * @property {number} [largestFile] bytes a file offered to us may have
 */

/** Events are listed in sdk.d.ts (`CallEvents`). */
export class Call extends Talk {
  /** Who asks to be let in; hosts are told. @type {Map<string, {peer: string, name?: string|null}>} */ waiting = new Map();
  /** @type {RTCIceServer[]} */ iceServers = [];
  /** @type {'connecting'|'waiting'|'open'|'lost'|'closed'} */ state = 'connecting';
  /** @type {'host'|'guest'} */ role = 'guest';
  /** @type {any} */ room = undefined;
  /** Our own id. @type {string|undefined} */ id;
  #published = false;
  #entered = false;
  #servers;
  /** @type {(() => void)[]} */ #stop = [];

  /** @param {import('./api.js').Relayhouse} house @param {string} ticket @param {CallOptions} [how] */
  constructor(house, ticket, { name = '', media, stream = media?.stream ?? new MediaStream(), relayOnly = false, largestFile = LARGEST_FILE } = {}) {
    super(largestFile);
    this.house = house;
    this.ticket = ticket;
    this.media = media;
    this.stream = stream;
    this.relayOnly = relayOnly;
    this.self.name = name;
    this.#servers = new CallServers(() => house.ice({ token: ticket }), (answer) => this.#freshServers(answer), (wrong) => this.tell('error', wrong));
    this.ready = new Promise((resolve, reject) => {
      this.#stop.push(this.on('room', () => resolve(this)), this.on('closed', ({ error }) => reject(error)));
    });
    this.ready.catch(() => { /* told by `closed` as well */ });
    this.signalling = new Signalling({ url: house.signalUrl, token: ticket });
    this.signalling.on('message', (message) => this.#heard(message));
    this.signalling.on('status', (state) => this.#moved(state));
    this.signalling.on('closed', (why) => this.#over(why));
    this.#stop.push(watchNetwork((online) => this.#network(online)));
    const looked = () => this.update();
    media?.addEventListener('changed', looked);
    this.#stop.push(() => media?.removeEventListener('changed', looked));
    this.update();
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

  /** Our tracks, name or switches changed: puts it on the wire and tells the others. @param {{name?: string}} [self] */
  update(self = {}) {
    const lives = (/** @type {'audio'|'video'} */ kind) => this.stream.getTracks().some((track) => track.kind === kind && track.enabled && track.readyState === 'live');
    this.self = { ...this.self, mic: lives('audio'), camera: lives('video'), screen: this.media?.screen ?? false, ...self };
    this.introduce();
    this.#share();
    this.#publish();
  }

  /** Any JSON, through the server: also to people whose data channel is not open. @param {unknown} data @param {string} [to] */
  message(data, to) { this.signalling.send({ type: 'message', data, ...(to ? { to } : {}) }); }

  /** Looks for paths anew, as after a change of network. */
  restart() {
    this.signalling.reconnect();
    for (const peer of this.peers.values()) peer.restart();
  }

  // --- what hosts may do ---
  /** @param {string} peer */ admit(peer) { this.signalling.send({ type: 'admit', peer }); }
  /** @param {string} peer */ deny(peer) { this.signalling.send({ type: 'deny', peer }); }
  /** @param {string} peer */ kick(peer) { this.signalling.send({ type: 'kick', peer }); }
  lock() { this.signalling.send({ type: 'lock' }); }
  unlock() { this.signalling.send({ type: 'unlock' }); }
  /** @param {{ttl?: number}} [how] */
  invite(how) { return this.house.createInvite(this.room.id, { ...how, token: this.ticket }); }

  /** Gives the seat up. */
  leave() { this.signalling.leave(); }

  /** Puts our tracks on the wire, to each as large as the number of people allows. */
  #share() {
    for (const peer of this.peers.values()) peer.limit(shareOf(this.peers.size, this.self.screen));
  }

  #publish() {
    const publishing = this.self.mic || this.self.camera;
    if (!this.#entered || publishing === this.#published) return;
    this.#published = publishing;
    this.signalling.send({ type: 'media', publishing });
  }

  /** @param {boolean} online */
  #network(online) {
    this.tell('network', { online });
    if (online) this.restart();
  }

  /** @param {Call['state']} state */
  #moved(state) {
    if (state === 'closed' || this.state === 'closed') return; // `closed` comes with its reason
    this.state = state;
    this.tell('state', state);
  }

  /** @param {{code: string, message: string}} why */
  #over({ code, message }) {
    if (this.state === 'closed') return;
    for (const id of [...this.peers.keys()]) this.#drop(id, 'left');
    this.#servers.stop();
    this.state = 'closed';
    this.tell('state', 'closed');
    this.tell('closed', { code, error: new RelayhouseError(code, { detail: message }), entered: this.#entered });
    for (const stop of this.#stop.splice(0)) stop();
  }

  /** @param {any} message */
  #heard(message) {
    switch (message.type) {
      case 'ready': this.#ready(message); break;
      case 'waiting': this.room = message.room; break;
      case 'joined': this.#joined(message); break;
      case 'left': this.#drop(message.peer, message.reason); break;
      case 'offer': case 'answer': case 'candidate': this.peers.get(message.from)?.receive(message); break;
      case 'media': this.#media(message); break;
      case 'message': this.tell('message', { peer: this.peers.get(message.from), data: message.data }); break;
      case 'iceServers': this.#servers.take(message); break;
      case 'room': this.#roomIs(message.room); break;
      case 'knock':
        this.waiting.set(message.peer, message);
        this.tell('knock', message);
        break;
      case 'error': this.tell('error', new RelayhouseError(message.code, { detail: message.message })); break;
      default:
    }
  }

  /** @param {any} message */
  #ready({ peer, room, role, peers, iceServers, ttl, expiresAt, resumed }) {
    this.id = peer;
    this.role = role;
    this.#servers.take({ iceServers, ttl, expiresAt });
    if (!resumed) {
      this.#published = false;
      for (const id of [...this.waiting.keys()]) this.#gone(id);
    }
    this.#entered = true;
    const present = new Set(peers.map((/** @type {{peer: string}} */ one) => one.peer));
    for (const id of [...this.peers.keys()]) {
      if (!present.has(id)) this.#drop(id, 'dropped');
      // Our seat is a new one: the others hold nothing of what we had with them.
      else if (resumed === false) this.#drop(id, 'replaced');
    }
    this.#roomIs(room);
    for (const one of peers) {
      const known = this.peers.get(one.peer);
      if (known) Object.assign(known, { polite: one.polite, publishing: one.publishing });
      else this.#add(one, true);
    }
    this.#publish();
  }

  /** @param {any} room */
  #roomIs(room) {
    this.room = { ...this.room, ...room };
    this.tell('room', { room: this.room, role: this.role });
  }

  /** @param {import('../../sdk.js').IceAnswer} answer */
  #freshServers(answer) {
    this.iceServers = answer.iceServers;
    for (const peer of this.peers.values()) peer.configure(this.configuration);
    this.tell('credentials', answer);
  }

  /** @param {any} one */
  #joined(one) {
    // Whom we let in waits no more; whom we still hold came back without their old seat.
    if (this.waiting.has(one.peer)) this.#gone(one.peer);
    this.#drop(one.peer, 'replaced');
    this.#add(one, false);
  }

  /** @param {string} id */
  #gone(id) {
    this.waiting.delete(id);
    this.tell('gone', { peer: id });
  }

  /** @param {{peer: string, name?: string|null, polite: boolean, role?: string, publishing?: boolean}} one @param {boolean} initiate */
  #add({ peer: id, name, polite, role, publishing }, initiate) {
    const peer = new Peer({
      id, name, polite, initiate,
      configuration: this.configuration,
      stream: this.stream,
      send: (message) => this.signalling.send(message),
    });
    peer.role = role ?? 'guest';
    peer.publishing = Boolean(publishing);
    const changed = () => this.tell('peer', peer);
    peer.on('connection', changed);
    peer.on('stream', (stream) => { peer.remote = stream; changed(); });
    this.listenTo(peer);
    peer.on('iceerror', (error) => this.#iceError(peer, error));
    peer.on('gathered', (kinds) => { if (this.relayOnly && !kinds.includes('relay')) this.tell('norelay', peer); });
    this.peers.set(id, peer);
    this.#share();
    this.tell('joined', { peer });
  }

  /** @param {Peer} peer @param {{url: string, code: number, text: string}} error */
  #iceError(peer, error) {
    this.tell('iceerror', { peer, ...error });
    if (error.code === 401) this.#servers.refused(() => { for (const one of this.peers.values()) one.restart(); });
  }

  /** @param {string} id @param {string} [reason] */
  #drop(id, reason) {
    const peer = this.peers.get(id);
    if (!peer) {
      if (this.waiting.has(id)) this.#gone(id);
      return;
    }
    this.peers.delete(id);
    peer.close();
    this.listenNoMore(peer);
    this.#share();
    this.tell('left', { peer, reason });
  }

  /** @param {{peer: string, publishing: boolean}} message */
  #media({ peer: id, publishing }) {
    const peer = this.peers.get(id);
    if (!peer) return;
    peer.publishing = publishing;
    this.tell('peer', peer);
  }
}
