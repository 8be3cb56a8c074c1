// The HTTP side of a session: rooms, invites, ICE servers. Free of DOM.

/**
 * @typedef {object} Room
 * @property {string} id
 * @property {string|null} [name]
 * @property {number} [capacity]
 * @property {boolean} [lobby]
 * @property {boolean} [locked]
 * @property {number|null} [expires] unix seconds
 */

/** A request that failed, with the server's stable `code` (or `unreachable`, `timeout`, `not_json`). */
export class ApiError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {number} [status] HTTP status, 0 when no answer came
   * @param {number} [retryAfter] seconds
   */
  constructor(code, message, status = 0, retryAfter = undefined) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

const TIMEOUT_MS = 10_000;

/** Speaks to one server. `base` is its origin, without a slash at the end. */
export class Api {
  /** @param {string} base */
  constructor(base) {
    this.base = base;
  }

  /** The WebSocket address of native signalling. */
  get signalUrl() {
    return `${this.base.replace(/^http/, 'ws')}/api/v1/signal`;
  }

  /**
   * Makes a room; the answer's ticket is the host's.
   * @param {{name?: string, capacity?: number}} wanted
   * @param {string} [creator] creator ticket or API key; not needed where the server is open
   * @returns {Promise<{room: Room, ticket: string}>}
   */
  createRoom(wanted, creator) {
    return this.#call('POST', '/api/v1/rooms', wanted, creator);
  }

  /**
   * A fresh invite. Each works once.
   * @param {string} room
   * @param {string} ticket the host's
   * @returns {Promise<{invite: string, url: string, expiresAt: number}>}
   */
  createInvite(room, ticket) {
    return this.#call('POST', `/api/v1/rooms/${encodeURIComponent(room)}/invites`, {}, ticket);
  }

  /**
   * Spends an invite. A second redeem of the same one is refused with `invite_used`.
   * @param {string} invite
   * @param {string} [name] shown to the others
   * @returns {Promise<{room: Room, ticket: string}>}
   */
  redeem(invite, name) {
    return this.#call('POST', `/api/v1/invites/${encodeURIComponent(invite)}/redeem`, name ? { name } : {});
  }

  /**
   * STUN and TURN servers with fresh credentials.
   * @param {string} [token] API key or any valid ticket
   * @returns {Promise<{iceServers: RTCIceServer[], ttl: number, expiresAt: number}>}
   */
  ice(token) {
    return this.#call('GET', '/api/v1/ice', undefined, token);
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @param {string} [token]
   * @returns {Promise<any>}
   */
  async #call(method, path, body, token) {
    /** @type {Record<string, string>} */
    const headers = { accept: 'application/json' };
    if (body) headers['content-type'] = 'application/json';
    if (token) headers.authorization = `Bearer ${token}`;
    let response;
    try {
      response = await fetch(this.base + path, {
        method,
        headers,
        body: body && JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT_MS),
        cache: 'no-store',
        credentials: 'omit',
      });
    } catch (cause) {
      const code = cause instanceof DOMException && cause.name === 'TimeoutError' ? 'timeout' : 'unreachable';
      throw new ApiError(code, 'The server did not answer.');
    }
    const answer = await response.json().catch(() => undefined);
    if (response.ok && answer !== undefined) return answer;
    const wrong = answer?.error ?? {};
    const retryAfter = Number(wrong.retry_after ?? response.headers.get('retry-after')) || undefined;
    throw new ApiError(wrong.code ?? 'not_json', wrong.message ?? `HTTP ${response.status}`, response.status, retryAfter);
  }
}
