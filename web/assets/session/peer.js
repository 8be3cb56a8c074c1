// One other person: an RTCPeerConnection held by perfect negotiation.
//
// Everything that touches the description runs through one queue, so "is an offer of ours on the
// way" is simply the signalling state. A connection that the other side has built anew (a reload,
// a lost seat) is known by the session id in its SDP's `o=` line; ours is then built anew as well.

import { openChannels } from './channels.js';
import { Emitter } from './emitter.js';
import { Repair } from './repair.js';
import { addTracks, attachTracks } from './tracks.js';

const SIT_AND_WAIT_MS = 2500;
const ANSWER_WITHIN_MS = 12_000;

/** @param {string|undefined} sdp @returns {string|undefined} the session id (RFC 8866, 5.2) */
const sessionOf = (sdp) => /^o=\S+ (\S+)/m.exec(sdp ?? '')?.[1];

/** @typedef {{name: string, mic: boolean, camera: boolean, screen: boolean, files: boolean}} Told */

/**
 * Events: `connection` (detail: connection state), `stream` (detail: the remote MediaStream),
 * `heard` (detail: a JSON value from the data channel), `channel` (detail: is it open), `files` (the
 * channel for files is open, perhaps another one), `frame` (detail: what came over it, text or ArrayBuffer),
 * `iceerror` (detail: `{url, code, text}`), `gathered` (detail: kinds of local candidates seen).
 */
export class Peer extends Emitter {
  /** @type {RTCPeerConnection} */ #pc;
  /** @type {{call: RTCDataChannel, files: RTCDataChannel}} */ #channels;
  /** What the server calls it. @type {string} */ role = 'guest';
  /** Whether it sends media, as the server was told. */ publishing = false;
  /** Its sound and picture, once they come. @type {MediaStream|undefined} */ remote;
  /** What our picture may cost. @type {import('./share.js').Share|undefined} */ share;
  /** What it says of itself. @type {Told|undefined} */ told;
  #queue = Promise.resolve();
  #closed = false;
  #initiated = false;
  #restartOwed = false;
  /** @type {string|undefined} */ #remoteSession;
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #waitTimer;
  #repair = new Repair(() => this.restart());
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #offerTimer;
  /** @type {Set<string>} */ #candidateKinds = new Set();

  /**
   * @param {object} given
   * @param {string} given.id
   * @param {string|null} [given.name]
   * @param {boolean} given.polite our side of the pair gives way
   * @param {boolean} given.initiate make the first offer; else wait a moment for theirs
   * @param {RTCConfiguration} given.configuration
   * @param {MediaStream} given.stream groups our tracks, so that sound and picture stay together
   * @param {(message: {type: string} & Record<string, unknown>) => void} given.send
   */
  constructor({ id, name, polite, initiate, configuration, stream, send }) {
    super();
    this.id = id;
    this.name = name ?? '';
    this.polite = polite;
    this.configuration = configuration;
    this.localStream = stream;
    this.send = send;
    this.#pc = this.#build();
    this.#channels = this.#openChannels();
    if (initiate) this.#initiate();
    else this.#waitTimer = setTimeout(() => this.#initiate(), SIT_AND_WAIT_MS);
  }

  /** `new`, `connecting`, `connected`, `disconnected`, `failed` or `closed`. */
  get state() { return this.#pc.connectionState; }

  /** Whether `say` reaches the other side now. */
  get open() { return this.#channels.call.readyState === 'open'; }

  /** The channel files go over; another one after the connection was built anew. */
  get files() { return this.#channels.files; }

  /** Bytes one message to the other side may have. */
  get maxMessageSize() { return this.#pc.sctp?.maxMessageSize || 65_536; }

  /** How loud it is just now, 0 to 1. */
  get level() {
    const sound = this.#pc.getReceivers().find(({ track }) => track.kind === 'audio');
    return sound?.getSynchronizationSources?.()[0]?.audioLevel ?? 0;
  }

  /** @returns {Promise<RTCStatsReport>} */
  stats() { return this.#pc.getStats(); }

  /**
   * Takes an `offer`, `answer` or `candidate` from the server.
   * @param {{type: string, sdp?: string, candidate?: RTCIceCandidateInit|null}} message
   */
  receive(message) {
    this.#enqueue(async () => {
      if (message.type === 'candidate') await this.#candidate(message.candidate);
      else await this.#description(/** @type {RTCSdpType} */ (message.type), message.sdp ?? '');
    });
  }

  /** Puts the stream's present tracks on the wire; none of a kind means nothing is sent of it. */
  tracksChanged() {
    this.#enqueue(() => this.#attach());
  }

  /** What our picture may cost from now on. @param {import('./share.js').Share} share */
  limit(share) {
    this.share = share;
    this.tracksChanged();
  }

  /**
   * Other ICE servers or another policy. A changed policy builds the connection anew: only then is
   * every candidate of the old policy gone, on both sides.
   * @param {RTCConfiguration} configuration
   */
  configure(configuration) {
    const policyChanged = configuration.iceTransportPolicy !== this.configuration.iceTransportPolicy;
    this.configuration = configuration;
    if (policyChanged) this.rebuild();
    else this.#pc.setConfiguration(configuration);
  }

  /** Looks for a path again, keeping the connection. */
  restart() {
    if (this.#closed) return;
    // Before the first answer there is nothing to restart; after it there is.
    this.#restartOwed = !this.#remoteSession;
    if (this.#restartOwed) return;
    this.#candidateKinds.clear();
    this.#pc.restartIce();
  }

  /** Starts over with a fresh connection; the other side follows. */
  rebuild() {
    this.#enqueue(async () => this.#rebuild());
  }

  /** Sends a JSON value over the data channel. @param {unknown} value @returns {boolean} whether it went */
  say(value) {
    if (!this.open) return false;
    this.#channels.call.send(JSON.stringify(value));
    return true;
  }

  close() {
    this.#closed = true;
    this.#retire();
    this.tell('connection', 'closed');
  }

  #build() {
    const pc = new RTCPeerConnection(this.configuration);
    const stream = new MediaStream();
    const mine = () => pc === this.#pc && !this.#closed;
    this.#candidateKinds.clear();
    // The channels alone would make an offer too: whoever waits for the other side's does not.
    pc.onnegotiationneeded = () => this.#enqueue(async () => { if (mine() && (this.#initiated || this.#remoteSession)) await this.#offer(); });
    pc.onicecandidate = ({ candidate }) => {
      if (!mine()) return;
      if (candidate?.type) this.#candidateKinds.add(candidate.type);
      this.send({ type: 'candidate', to: this.id, candidate: candidate?.candidate ? candidate.toJSON() : null });
    };
    pc.onicegatheringstatechange = () => {
      if (mine() && pc.iceGatheringState === 'complete') this.tell('gathered', [...this.#candidateKinds]);
    };
    pc.onicecandidateerror = ({ url, errorCode, errorText }) => {
      if (mine()) this.tell('iceerror', { url, code: errorCode, text: errorText });
    };
    pc.onconnectionstatechange = () => { if (mine()) this.tell('connection', pc.connectionState); };
    // The path, without the handshake above it: a restart can mend that alone.
    pc.oniceconnectionstatechange = () => { if (mine()) this.#repair.saw(pc.iceConnectionState); };
    pc.ontrack = ({ track }) => {
      stream.addTrack(track);
      if (mine()) this.tell('stream', stream);
    };
    return pc;
  }

  #openChannels() {
    const pc = this.#pc;
    return openChannels(pc, {
      mine: () => pc === this.#pc && !this.#closed,
      open: (open) => {
        this.tell('channel', open);
        if (open) this.tell('files');
      },
      heard: (value) => this.tell('heard', value),
      frame: (frame) => this.tell('frame', frame),
    });
  }

  /** Makes the first offer, unless theirs came. */
  #initiate() {
    clearTimeout(this.#waitTimer);
    if (this.#closed || this.#initiated || this.#remoteSession) return;
    this.#initiated = true;
    addTracks(this.#pc, this.localStream);
    const pc = this.#pc;
    this.#enqueue(async () => { if (pc === this.#pc) await this.#offer(); });
  }

  async #offer() {
    if (this.#pc.signalingState !== 'stable') return;
    await this.#pc.setLocalDescription();
    this.send({ type: 'offer', to: this.id, sdp: this.#pc.localDescription?.sdp });
    clearTimeout(this.#offerTimer);
    this.#offerTimer = setTimeout(() => this.#unanswered(), ANSWER_WITHIN_MS);
  }

  /** Without this, an offer lost with the other side's seat would block every later one. */
  #unanswered() {
    if (this.#pc.signalingState === 'have-local-offer' && this.state !== 'connected') this.rebuild();
  }

  /** @param {RTCSdpType} type @param {string} sdp */
  async #description(type, sdp) {
    const session = sessionOf(sdp);
    const replaced = this.#remoteSession !== undefined && session !== this.#remoteSession;
    if (type === 'answer') {
      // An answer from a connection we have not negotiated with: ours is of no use to it.
      if (replaced) { this.#rebuild(); return; }
      if (this.#pc.signalingState !== 'have-local-offer') return;
      this.#remoteSession = session;
      await this.#pc.setRemoteDescription({ type, sdp });
      await this.#attach();
      if (this.#restartOwed) this.restart();
      return;
    }
    const collision = this.#pc.signalingState !== 'stable';
    if (collision && !this.polite) return;
    const unborn = collision && this.#remoteSession === undefined;
    if (replaced || unborn) this.#renew();
    clearTimeout(this.#waitTimer);
    this.#remoteSession = session;
    await this.#pc.setRemoteDescription({ type, sdp });
    await this.#attach();
    await this.#pc.setLocalDescription();
    this.send({ type: 'answer', to: this.id, sdp: this.#pc.localDescription?.sdp });
    if (this.#restartOwed) this.restart();
  }

  /** @param {RTCIceCandidateInit|null|undefined} candidate */
  async #candidate(candidate) {
    // Candidates of an offer we ignored, or of a connection since replaced, have no place to go.
    if (!this.#pc.remoteDescription) return;
    const fragment = candidate?.usernameFragment;
    if (fragment && !this.#pc.remoteDescription.sdp.includes(`a=ice-ufrag:${fragment}`)) return;
    await this.#pc.addIceCandidate(candidate ?? undefined);
  }

  #attach() { return attachTracks(this.#pc, this.localStream, this.share); }

  #rebuild() {
    if (this.#closed) return;
    this.#renew();
    this.#initiate();
  }

  #renew() {
    this.#retire();
    this.#pc = this.#build();
    this.#channels = this.#openChannels();
    this.#remoteSession = undefined;
    this.#initiated = false;
    this.#restartOwed = false;
    this.tell('channel', false);
    this.tell('connection', 'connecting');
  }

  #retire() {
    clearTimeout(this.#waitTimer);
    this.#repair.stop();
    clearTimeout(this.#offerTimer);
    this.#pc.close();
  }

  /** @param {() => Promise<void>} step */
  #enqueue(step) {
    this.#queue = this.#queue.then(() => (this.#closed ? undefined : step())).catch((cause) => {
      if (!this.#closed) this.tell('trouble', cause);
    });
  }
}
