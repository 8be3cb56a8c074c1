// The HTTP side of the operator's pages: one proof, kept for this tab, and calls that carry it. Free of DOM.

const PROOF = 'relayhouse.board';
const TIMEOUT_MS = 10_000;
/** A session's token is exchanged for a new one this long before it ends. */
const EARLY_S = 60;

/** A call that failed, with the server's stable code (or `unreachable`). */
export class CallFailed extends Error {
  /** @param {string} code @param {string} message @param {number} [status] @param {number} [retryAfter] seconds */
  constructor(code, message, status = 0, retryAfter = undefined) {
    super(message);
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/**
 * @typedef {object} Proof
 * @property {string} token an API key, a ticket or an access token
 * @property {string} [refresh] exchanges the access token for another
 * @property {number} [expires] unix seconds
 * @property {string} [who]
 */

/** @returns {Proof|undefined} */
function kept() {
  try { return JSON.parse(sessionStorage.getItem(PROOF) ?? 'null') ?? undefined; } catch { return undefined; }
}

export class Client {
  /** @type {Proof|undefined} */ #proof = kept();
  /** @type {Promise<void>|undefined} one refresh at a time: its token is good once */ #refreshing;

  get who() { return this.#proof?.who; }
  get hasProof() { return this.#proof !== undefined; }

  /** @param {Proof|undefined} proof */
  use(proof) {
    this.#proof = proof;
    try {
      if (proof) sessionStorage.setItem(PROOF, JSON.stringify(proof));
      else sessionStorage.removeItem(PROOF);
    } catch { /* storage is switched off: the tab works, a reload asks again */ }
  }

  /** @param {string} username @param {string} password */
  async signIn(username, password) {
    this.#take(await this.#ask('POST', '/api/v1/auth/login', { username, password }));
  }

  async signOut() {
    if (this.#proof?.refresh) await this.#ask('POST', '/api/v1/auth/logout', {}, this.#proof.token).catch(() => {});
    this.use(undefined);
  }

  /** @param {string} method @param {string} path @param {object} [body] @returns {Promise<any>} */
  async call(method, path, body) {
    const { refresh, expires = Infinity } = this.#proof ?? {};
    if (refresh && expires - EARLY_S < Date.now() / 1000) {
      this.#refreshing ??= this.#refresh(refresh).finally(() => { this.#refreshing = undefined; });
      await this.#refreshing;
    }
    return this.#ask(method, path, body, this.#proof?.token);
  }

  /** @param {string} path */
  get(path) { return this.call('GET', path); }

  /** @param {string} refreshToken */
  async #refresh(refreshToken) {
    this.#take(await this.#ask('POST', '/api/v1/auth/refresh', { refreshToken }));
  }

  /** @param {any} session */
  #take({ accessToken, refreshToken, expiresAt, user }) {
    this.use({ token: accessToken, refresh: refreshToken, expires: expiresAt, who: user?.name });
  }

  /** @param {string} method @param {string} path @param {object} [body] @param {string} [token] */
  async #ask(method, path, body, token) {
    /** @type {Record<string, string>} */ const headers = { accept: 'application/json' };
    if (body) headers['content-type'] = 'application/json';
    if (token) headers.authorization = `Bearer ${token}`;
    const how = { method, headers, body: body && JSON.stringify(body), cache: /** @type {const} */ ('no-store'), credentials: /** @type {const} */ ('omit') };
    const response = await fetch(path, { ...how, signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => {
      throw new CallFailed('unreachable', 'The server does not answer.');
    });
    if (response.status === 204) return undefined;
    const answer = await response.json().catch(() => undefined);
    if (response.ok && answer !== undefined) return answer;
    const { code = 'not_json', message = `HTTP ${response.status}`, retry_after: retryAfter } = answer?.error ?? {};
    throw new CallFailed(code, message, response.status, retryAfter);
  }
}
