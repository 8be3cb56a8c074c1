// One file on its way to or from one person.

import { Emitter } from './emitter.js';
import { RelayhouseError } from './errors.js';
import { Sha256 } from './sha256.js';

/** Bytes that are folded into a Blob, which the browser may put on the disk. */
const FOLD = 8 * 2 ** 20;

/** States after which nothing more happens. */
const OVER = new Set(['done', 'cancelled', 'declined', 'failed']);

/** One digest of one file, however many people it goes to and however often a piece is read again. */
export class FileDigest {
  #sha = new Sha256();
  #upTo = 0;
  /** @type {string|undefined} */ #hex;

  /** @param {number} at @param {Uint8Array} bytes */
  feed(at, bytes) {
    if (at + bytes.length <= this.#upTo || at > this.#upTo) return;
    this.#sha.update(bytes.subarray(this.#upTo - at));
    this.#upTo = at + bytes.length;
  }

  hex() {
    this.#hex ??= this.#sha.hex();
    return this.#hex;
  }
}

/**
 * Events: `progress` (detail: bytes so far), `state` (detail: the state). States: `offered`, `active`, then
 * one of `done`, `cancelled` (by either side), `declined`, `failed` (see `error`).
 */
export class Transfer extends Emitter {
  /** @type {'offered'|'active'|'done'|'cancelled'|'declined'|'failed'} */ state = 'offered';
  /** Bytes that went out or came in. */ moved = 0;
  /** Milliseconds (performance.now) at which it became active. */ startedAt = 0;
  /** @type {RelayhouseError|undefined} */ error;
  /** The file, when it came in whole. @type {Blob|undefined} */ blob;
  /** @type {string|undefined} */ sha256;
  /** @type {Sha256|undefined} */ #sha;
  /** @type {Blob[]} */ #folded = [];
  /** @type {Uint8Array<ArrayBuffer>[]} */ #loose = [];
  #looseBytes = 0;

  /**
   * @param {object} given
   * @param {number} given.number names it between the two
   * @param {import('./peer.js').Peer} given.peer
   * @param {'in'|'out'} given.direction
   * @param {{name: string, size: number, type: string}} given.file
   * @param {Blob} [given.source] what goes out
   * @param {FileDigest} [given.digest] of what goes out
   * @param {(what: 'accept'|'decline'|'cancel', transfer: Transfer) => void} given.act
   */
  constructor({ number, peer, direction, file, source, digest, act }) {
    super();
    this.number = number;
    this.peer = peer;
    this.direction = direction;
    this.name = file.name;
    this.size = file.size;
    this.type = file.type;
    this.source = source;
    this.digest = digest;
    this.act = act;
  }

  get over() { return OVER.has(this.state); }

  /** Takes what is offered to us. */
  accept() { if (this.direction === 'in' && this.state === 'offered') this.act('accept', this); }

  /** Does not. */
  decline() { if (this.direction === 'in' && this.state === 'offered') this.act('decline', this); }

  /** Ends it, from either side, at any time. */
  cancel() { if (!this.over) this.act('cancel', this); }

  /** @param {Transfer['state']} state @param {string} [code] */
  enter(state, code) {
    if (this.over || state === this.state) return;
    this.state = state;
    if (state === 'active') this.startedAt = performance.now();
    if (code) this.error = new RelayhouseError(code);
    if (this.over && state !== 'done') this.#drop();
    this.tell('state', state);
  }

  /** @param {number} bytes so far */
  movedTo(bytes) {
    this.moved = bytes;
    this.tell('progress', bytes);
  }

  /** A piece came in. @param {Uint8Array<ArrayBuffer>} bytes @returns {boolean} false when it is more than was offered */
  receive(bytes) {
    if (this.moved + bytes.length > this.size) return false;
    this.#sha ??= new Sha256();
    this.#sha.update(bytes);
    this.#loose.push(bytes);
    this.#looseBytes += bytes.length;
    if (this.#looseBytes >= FOLD) this.#fold();
    this.movedTo(this.moved + bytes.length);
    return true;
  }

  /** Nothing more comes. @param {string} sha256 what it should be @returns {string|undefined} what is wrong with it */
  finish(sha256) {
    if (this.moved !== this.size) return 'file_incomplete';
    this.sha256 = (this.#sha ?? new Sha256()).hex();
    if (this.sha256 !== sha256) return 'file_damaged';
    this.#fold();
    this.blob = new Blob(this.#folded, { type: this.type });
    this.#drop();
    return undefined;
  }

  #fold() {
    this.#folded.push(new Blob(this.#loose));
    this.#loose = [];
    this.#looseBytes = 0;
  }

  #drop() {
    this.#folded = [];
    this.#loose = [];
  }
}
