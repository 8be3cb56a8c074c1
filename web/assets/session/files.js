// Files between the people of a call: offers and answers over the channel `call`, bytes over `files`.
//
// A frame is four bytes that number the transfer, then bytes of the file; a text frame ends a file and says
// its SHA-256. A receiver asks for bytes from where it stands (`file-go`), at first and again after the
// connection was built anew: so a transfer outlives that.

import { Emitter } from './emitter.js';
import { FileDigest, Transfer } from './transfer.js';

/** What is read of a file at once. */
const READ = 256 * 2 ** 10;
/** A frame, its number included: every browser takes that much. */
const FRAME = 64 * 2 ** 10;
const NUMBER = 4;
/** Above so many bytes in the channel we wait until it fell to LOW. */
const HIGH = 2 ** 20;
const LOW = 256 * 2 ** 10;
/** Transfers one person may have open with us in one direction. */
const MOST = 32;
const NAME_LENGTH = 200;
const SHA256 = /^[0-9a-f]{64}$/;

/** A name that is no path and says the same to everybody. @param {unknown} name */
function plainName(name) {
  const text = String(name ?? '').replace(/[\u0000-\u001f\u007f\u200e\u200f\u202a-\u202e\u2066-\u2069/\\:]+/g, '_').trim();
  const short = text.length > NAME_LENGTH ? `${text.slice(0, 150)}…${text.slice(-40)}` : text;
  return short.replace(/^\.+/, '_') || 'file';
}

/** Event: `file` (detail: Transfer), for what is offered to us. */
export class Files extends Emitter {
  /** @type {Map<import('./peer.js').Peer, {in: Map<number, Transfer>, out: Map<number, Transfer>}>} */ #of = new Map();
  #next = 1;

  /** @param {number} largest bytes a file offered to us may have */
  constructor(largest) {
    super();
    this.largest = largest;
  }

  /**
   * Offers a file to people.
   * @param {File|Blob} file @param {import('./peer.js').Peer[]} peers @param {string} [name]
   * @returns {Transfer[]} one for each
   */
  send(file, peers, name = /** @type {File} */ (file).name) {
    const digest = new FileDigest();
    const about = { name: plainName(name), size: file.size, type: file.type };
    return peers.map((peer) => {
      const number = this.#next;
      this.#next += 1;
      const transfer = this.#make({ number, peer, direction: 'out', file: about, source: file, digest });
      const { out } = this.#held(peer);
      if (peer.told && !peer.told.files) this.#fail(transfer, 'no_files');
      else if (out.size >= MOST) this.#fail(transfer, 'too_many_files');
      else if (!peer.say({ kind: 'file', n: number, ...about })) this.#fail(transfer, 'not_connected');
      else out.set(number, transfer);
      return transfer;
    });
  }

  /** The channel for files is open, perhaps again: unfinished ones go on. @param {import('./peer.js').Peer} peer */
  opened(peer) {
    for (const transfer of this.#held(peer).in.values()) if (transfer.state === 'active') this.#go(transfer);
  }

  /** @param {import('./peer.js').Peer} peer @param {any} value of a kind that begins with `file` */
  heard(peer, value) {
    const { in: incoming, out } = this.#held(peer);
    const n = Number(value.n);
    switch (value.kind) {
      case 'file': this.#offered(peer, n, value); break;
      case 'file-go': this.#pump(out.get(n), Number(value.from)); break;
      case 'file-got': this.#over(out.get(n), 'done'); break;
      case 'file-declined': this.#over(out.get(n), 'declined', value.code === 'file_too_big' ? 'file_too_big' : undefined); break;
      case 'file-failed': this.#over(out.get(n), 'failed', 'file_damaged'); break;
      case 'file-cancel': this.#over(value.yours ? out.get(n) : incoming.get(n), 'cancelled'); break;
      case 'file-unread': this.#over(incoming.get(n), 'failed', 'file_unreadable'); break;
      default:
    }
  }

  /** @param {import('./peer.js').Peer} peer @param {string|ArrayBuffer} frame */
  frame(peer, frame) {
    const { in: incoming } = this.#held(peer);
    if (typeof frame === 'string') { this.#ended(peer, frame); return; }
    if (frame.byteLength <= NUMBER) return;
    const transfer = incoming.get(new DataView(frame).getUint32(0));
    // Pieces of what we cancelled are still on their way for a moment.
    if (transfer?.state !== 'active') return;
    if (!transfer.receive(new Uint8Array(frame, NUMBER))) this.#broken(transfer, 'file_damaged');
  }

  /** Somebody is gone, and all that was with them. @param {import('./peer.js').Peer} peer */
  dropped(peer) {
    const held = this.#of.get(peer);
    this.#of.delete(peer);
    for (const transfer of [...held?.in.values() ?? [], ...held?.out.values() ?? []]) transfer.enter('failed', 'peer_left');
  }

  /** @param {import('./peer.js').Peer} peer @param {number} n @param {any} value */
  #offered(peer, n, { name, size, type }) {
    const { in: incoming } = this.#held(peer);
    if (!Number.isInteger(n) || n < 0 || n >= 2 ** 32 || incoming.has(n)) return;
    const wrong = !Number.isSafeInteger(size) || size < 0 || incoming.size >= MOST;
    const file = { name: plainName(name), size: wrong ? 0 : size, type: String(type ?? '').slice(0, 100) };
    const transfer = this.#make({ number: n, peer, direction: 'in', file });
    if (wrong) { peer.say({ kind: 'file-declined', n }); return; }
    if (size > this.largest) {
      peer.say({ kind: 'file-declined', n, code: 'file_too_big' });
      transfer.enter('declined', 'file_too_big');
    } else {
      incoming.set(n, transfer);
    }
    this.tell('file', transfer);
  }

  /** @param {Transfer} transfer */
  #go(transfer) { transfer.peer.say({ kind: 'file-go', n: transfer.number, from: transfer.moved }); }

  /** Sends from where the receiver stands. @param {Transfer|undefined} transfer @param {number} from */
  async #pump(transfer, from) {
    if (!transfer?.source || transfer.over || !(from >= 0 && from <= transfer.size)) return;
    transfer.enter('active');
    const { peer, number, source, digest, size } = transfer;
    const channel = peer.files;
    const piece = Math.min(FRAME, peer.maxMessageSize) - NUMBER;
    const stopped = () => transfer.over || channel !== peer.files || channel.readyState !== 'open';
    for (let at = from; at < size;) {
      const bytes = await source.slice(at, at + READ).arrayBuffer().then((buffer) => new Uint8Array(buffer), () => undefined);
      if (!bytes?.length) { peer.say({ kind: 'file-unread', n: number }); this.#fail(transfer, 'file_unreadable'); return; }
      digest?.feed(at, bytes);
      for (let begin = 0; begin < bytes.length; begin += piece) {
        await drained(channel);
        if (stopped()) return;
        channel.send(framed(number, bytes.subarray(begin, begin + piece)));
        transfer.movedTo(at + Math.min(begin + piece, bytes.length));
      }
      at += bytes.length;
    }
    if (stopped()) return;
    transfer.sha256 = digest?.hex();
    channel.send(JSON.stringify({ n: number, sha256: transfer.sha256 }));
  }

  /** @param {import('./peer.js').Peer} peer @param {string} text */
  #ended(peer, text) {
    let end;
    try { end = JSON.parse(text); } catch { return; }
    const transfer = this.#held(peer).in.get(end?.n);
    if (transfer?.state !== 'active' || !SHA256.test(end.sha256)) return;
    const wrong = transfer.finish(end.sha256);
    if (wrong) { this.#broken(transfer, wrong); return; }
    peer.say({ kind: 'file-got', n: transfer.number });
    this.#over(transfer, 'done');
  }

  /** @param {Transfer} transfer @param {string} code */
  #broken(transfer, code) {
    transfer.peer.say({ kind: 'file-failed', n: transfer.number });
    this.#fail(transfer, code);
  }

  /** @param {'accept'|'decline'|'cancel'} what @param {Transfer} transfer */
  #act(what, transfer) {
    const { peer, number: n } = transfer;
    if (what === 'accept') {
      transfer.enter('active');
      this.#go(transfer);
    } else if (what === 'decline') {
      peer.say({ kind: 'file-declined', n });
      this.#over(transfer, 'declined');
    } else {
      peer.say({ kind: 'file-cancel', n, yours: transfer.direction === 'in' });
      this.#over(transfer, 'cancelled');
    }
  }

  /** @param {Omit<ConstructorParameters<typeof Transfer>[0], 'act'>} given */
  #make(given) {
    return new Transfer({ ...given, act: (what, transfer) => this.#act(what, transfer) });
  }

  /** @param {Transfer} transfer @param {string} code */
  #fail(transfer, code) { this.#over(transfer, 'failed', code); }

  /** @param {Transfer|undefined} transfer @param {Transfer['state']} state @param {string} [code] */
  #over(transfer, state, code) {
    if (!transfer) return;
    this.#of.get(transfer.peer)?.[transfer.direction].delete(transfer.number);
    transfer.enter(state, code);
  }

  /** @param {import('./peer.js').Peer} peer */
  #held(peer) {
    const held = this.#of.get(peer) ?? { in: new Map(), out: new Map() };
    this.#of.set(peer, held);
    return held;
  }
}

/** @param {number} number @param {Uint8Array} bytes */
function framed(number, bytes) {
  const frame = new Uint8Array(NUMBER + bytes.length);
  new DataView(frame.buffer).setUint32(0, number);
  frame.set(bytes, NUMBER);
  return frame;
}

/** Waits while the channel holds too much; it never holds more than HIGH and one frame. @param {RTCDataChannel} channel */
function drained(channel) {
  if (channel.bufferedAmount < HIGH || channel.readyState !== 'open') return undefined;
  channel.bufferedAmountLowThreshold = LOW;
  return new Promise((resolve) => {
    const done = () => {
      channel.removeEventListener('bufferedamountlow', done);
      channel.removeEventListener('close', done);
      resolve(undefined);
    };
    channel.addEventListener('bufferedamountlow', done);
    channel.addEventListener('close', done);
  });
}
