// The ICE servers of a call: pushed by the server, asked for when nothing came, or when they were refused.

import { IceKeeper } from './ice.js';

/** The server brings fresh credentials before the old ones end; when it did not by then, we ask. */
const ASK_AT = 0.95;
/** Credentials that are refused again are not asked for anew before. */
const REFUSED_AGAIN_MS = 60_000;

export class CallServers {
  /** @type {IceKeeper|undefined} */ #keeper;
  #refusedAt = -Infinity;

  /**
   * @param {() => Promise<import('../../sdk.js').IceAnswer>} ask
   * @param {(answer: import('../../sdk.js').IceAnswer) => void} fresh
   * @param {(wrong: unknown) => void} failed
   */
  constructor(ask, fresh, failed) {
    this.ask = ask;
    this.fresh = fresh;
    this.failed = failed;
  }

  /** What the server gave us. @param {import('../../sdk.js').IceAnswer} answer */
  take(answer) {
    if (this.#keeper) { this.#keeper.take(answer); return; }
    this.#keeper = new IceKeeper(this.ask, { first: answer, share: ASK_AT });
    this.#keeper.on('servers', this.fresh);
    this.#keeper.on('error', this.failed);
    this.fresh(answer);
  }

  /** They may be old (a rotated secret, a machine that slept). @param {() => void} then fresh ones are here */
  refused(then) {
    const now = performance.now();
    if (now - this.#refusedAt < REFUSED_AGAIN_MS) return;
    this.#refusedAt = now;
    this.#keeper?.renew().then(then, () => { /* `failed` was told */ });
  }

  stop() { this.#keeper?.stop(); }
}
