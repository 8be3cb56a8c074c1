// ICE servers that are renewed before their credentials end.

import { Emitter } from './emitter.js';

/** The share of their life after which credentials are replaced. */
const RENEW_AT = 0.8;
const RETRY_MS = [2000, 5000, 15_000, 60_000];
/** The longest time a timer takes; longer ones would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Events: `servers` (detail: `{iceServers, ttl, expiresAt}`), first and after each renewal; `error` (detail:
 * RelayhouseError): a renewal failed and is tried again.
 */
export class IceKeeper extends Emitter {
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #timer;
  #stopped = false;
  #failed = 0;

  /**
   * @param {() => Promise<import('../../sdk.js').IceAnswer>} fetchFresh
   * @param {{first?: import('../../sdk.js').IceAnswer, share?: number}} [how] `first`: what is held already
   */
  constructor(fetchFresh, { first, share = RENEW_AT } = {}) {
    super();
    this.fetchFresh = fetchFresh;
    this.share = share;
    /** What is good now. @type {import('../../sdk.js').IceAnswer|undefined} */
    this.current = undefined;
    /** The first answer; fails when the first request fails. @type {Promise<import('../../sdk.js').IceAnswer>} */
    this.ready = first ? Promise.resolve(first) : this.#renew(true);
    this.ready.catch(() => { /* told by the event as well */ });
    if (first) this.take(first);
  }

  /** Fresher servers than ours, from elsewhere. @param {import('../../sdk.js').IceAnswer} answer */
  take(answer) {
    if (this.#stopped) return;
    this.#failed = 0;
    this.current = answer;
    // By its length: the clock of this machine may differ from the server's.
    if (answer.ttl > 0) this.#wait(answer.ttl * 1000 * this.share);
    this.tell('servers', answer);
  }

  /** Fetches now, without waiting for the time. */
  renew() { return this.#renew(true); }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** @param {number} ms */
  #wait(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#renew(false), Math.min(ms, LONGEST_MS));
  }

  /** @param {boolean} loud whether the caller hears of a failure */
  async #renew(loud) {
    try {
      const answer = await this.fetchFresh();
      this.take(answer);
      return answer;
    } catch (wrong) {
      if (!this.#stopped) {
        this.#wait(RETRY_MS[Math.min(this.#failed, RETRY_MS.length - 1)]);
        this.#failed += 1;
        this.tell('error', wrong);
      }
      if (loud) throw wrong;
      return /** @type {any} */ (undefined);
    }
  }
}
