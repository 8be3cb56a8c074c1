// What the server saw of a credential meanwhile: browsers show pages only codes, the server knows why.

import { ask } from './house.js';

/**
 * @typedef {object} Seen one thing that happened with the credential
 * @property {number} at unix seconds @property {'opened'|'refused'|'closed'} kind @property {'udp'|'tcp'|'tls'} transport
 * @property {string} client as the relay saw it @property {string} [method] @property {number} [code] @property {string} [why]
 * @property {string[]} [relayed]
 */

/** An event needs a moment from the relay to who is asked. */
const AGAIN_MS = [200, 600];

export class Witness {
  /** @type {string|undefined} */ #path;
  /** @type {Set<string>} */ #known = new Set();

  /** @param {string|undefined} path where to ask; nothing is known of credentials that are none */
  constructor(path) { this.#path = path; }

  /** @param {string} check a test's name */
  static ofCheck(check) { return new Witness(`/api/v1/checks/${encodeURIComponent(check)}`); }

  /** @param {string} username as it was typed in */
  static ofUsername(username) {
    return new Witness(username ? `/api/v1/checks?${new URLSearchParams({ username })}` : undefined);
  }

  /** What was before is not told again. From here on the server watches the name. */
  async begin() {
    for (const one of await this.#all()) this.#known.add(JSON.stringify(one));
  }

  /**
   * What is new since the beginning and fits.
   * @param {(one: Seen) => boolean} fits @param {boolean} isRefused something was refused: there must be a reason
   * @returns {Promise<Seen[]>}
   */
  async saw(fits, isRefused) {
    const look = async () => (await this.#all()).filter((one) => fits(one) && !this.#known.has(JSON.stringify(one)));
    let seen = await look();
    for (const ms of AGAIN_MS) {
      if (!this.#path || (isRefused ? seen.some(({ kind }) => kind === 'refused') : seen.length > 0)) break;
      await new Promise((resolve) => { setTimeout(resolve, ms); });
      seen = await look();
    }
    return seen;
  }

  /** @returns {Promise<Seen[]>} nothing where the server cannot be asked: another server's credential, no answer */
  async #all() {
    if (!this.#path) return [];
    return (await ask('GET', this.#path).catch(() => ({ seen: [] }))).seen;
  }
}
