// One kind of error: a stable code for programs, words for people.

import { explain } from './words.js';

export class RelayhouseError extends Error {
  /**
   * @param {string} code the server's own, or one of this SDK (`unreachable`, `timeout`, `peer_left`, …)
   * @param {{detail?: string, status?: number, retryAfter?: number}} [more] `detail`: what the server said;
   *   `status`: 0 when no answer came; `retryAfter`: seconds
   */
  constructor(code, { detail = '', status = 0, retryAfter } = {}) {
    super(explain({ code, message: detail, status, retryAfter }));
    this.name = 'RelayhouseError';
    this.code = code;
    this.detail = detail;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}
