// The HTTP side: people, rooms, invites, ICE servers. The way into a call is `join`.

import { Call } from './call.js';
import { Emitter } from './emitter.js';
import { request } from './http.js';
import { IceKeeper } from './ice.js';
import { inviteOf } from './words.js';

/** An access token is renewed when it has less than this left. */
const RENEW_BEFORE_S = 30;

/** Where this module came from: pages of other origins talk to the server they import it from. */
const HOME = new URL('../../', import.meta.url).href;

/** @param {string} segment */
const part = (segment) => encodeURIComponent(segment);

/** @param {Record<string, string|number|undefined>} fields */
function query(fields) {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}

/**
 * Speaks to one server. Calls take `{token}` (API key, creator ticket or room ticket); without one they go
 * in the name of whoever is signed in. Event: `session` (detail: the session, or null when it is over).
 */
export class Relayhouse extends Emitter {
  /** @type {import('../../sdk.js').Session|undefined} */ #session;
  /** @type {Promise<void>|undefined} one refresh at a time: a refresh token is good once */ #renewing;

  /** @param {string} [base] address of the server; where this module came from unless given */
  constructor(base = HOME) {
    super();
    this.base = base.replace(/\/+$/, '');
  }

  /** The WebSocket address of native signalling. */
  get signalUrl() {
    return `${this.base.replace(/^http/, 'ws')}/api/v1/signal`;
  }

  /** Who is signed in. Put back what the `session` event gave you to stay signed in over a reload. */
  get session() { return this.#session; }
  set session(session) { this.#session = session; }

  /** @param {string} username @param {string} password */
  async login(username, password) {
    this.#keep(await request(`${this.base}/api/v1/auth/login`, { method: 'POST', body: { username, password } }));
    return /** @type {import('../../sdk.js').Session} */ (this.#session);
  }

  /** Fresh tokens. Calls do this by themselves when it is time. */
  async refresh() {
    this.#renewing ??= this.#renew().finally(() => { this.#renewing = undefined; });
    await this.#renewing;
    return this.#session;
  }

  async logout() {
    const token = this.#session?.accessToken;
    this.#keep(undefined);
    if (token) await request(`${this.base}/api/v1/auth/logout`, { method: 'POST', token });
  }

  me() { return this.request('GET', '/api/v1/auth/me'); }

  /** @param {{name?: string, capacity?: number, lobby?: boolean, expires?: number}} [wanted] @param {{token?: string}} [how] */
  createRoom(wanted = {}, how) { return this.request('POST', '/api/v1/rooms', wanted, how); }

  /** @param {{after?: string, limit?: number, token?: string}} [how] */
  rooms({ after, limit, ...how } = {}) { return this.request('GET', `/api/v1/rooms${query({ after, limit })}`, undefined, how); }

  /** @param {string} room @param {{token?: string}} [how] */
  async room(room, how) { return (await this.request('GET', `/api/v1/rooms/${part(room)}`, undefined, how)).room; }

  /** @param {string} room @param {{locked?: boolean, name?: string|null}} change @param {{token?: string}} [how] */
  async changeRoom(room, change, how) { return (await this.request('PATCH', `/api/v1/rooms/${part(room)}`, change, how)).room; }

  /** @param {string} room @param {{token?: string}} [how] */
  closeRoom(room, how) { return this.request('DELETE', `/api/v1/rooms/${part(room)}`, undefined, how); }

  /** @param {string} room @param {{role?: 'host'|'guest', name?: string}} [wanted] @param {{token?: string}} [how] */
  createTicket(room, wanted = {}, how) { return this.request('POST', `/api/v1/rooms/${part(room)}/tickets`, wanted, how); }

  /** @param {string} room @param {{ttl?: number, token?: string}} [how] */
  createInvite(room, { ttl, ...how } = {}) {
    return this.request('POST', `/api/v1/rooms/${part(room)}/invites`, ttl === undefined ? {} : { ttl }, how);
  }

  /** @param {string} room @param {{token?: string}} [how] */
  async invites(room, how) { return (await this.request('GET', `/api/v1/rooms/${part(room)}/invites`, undefined, how)).invites; }

  /** @param {string} room @param {string} id @param {{token?: string}} [how] */
  revokeInvite(room, id, how) { return this.request('DELETE', `/api/v1/rooms/${part(room)}/invites/${part(id)}`, undefined, how); }

  /**
   * Spends an invite, which works once.
   * @param {string} invite itself, or a link that holds it
   * @param {{name?: string}} [who] shown to the others
   */
  redeem(invite, { name } = {}) {
    const body = name ? { name } : {};
    return request(`${this.base}/api/v1/invites/${part(inviteOf(invite))}/redeem`, { method: 'POST', body });
  }

  /** @param {string} room @param {{token?: string}} [how] */
  participants(room, how) { return this.request('GET', `/api/v1/rooms/${part(room)}/participants`, undefined, how); }

  /** @param {string} room @param {string} peer @param {'kick'|'admit'|'deny'} what @param {{token?: string}} [how] */
  moderate(room, peer, what, how) {
    return this.request('POST', `/api/v1/rooms/${part(room)}/participants/${part(peer)}/${what}`, undefined, how);
  }

  /** @param {{ttl?: number, token?: string}} [how] */
  ice({ ttl, ...how } = {}) { return this.request('GET', `/api/v1/ice${query({ ttl })}`, undefined, how); }

  /** ICE servers that stay fresh without a room. @param {{ttl?: number, token?: string}} [how] */
  keepIce(how) { return new IceKeeper(() => this.ice(how)); }

  /**
   * Takes a seat in a room, by a ticket or by spending an invite.
   * @param {{ticket?: string, invite?: string} & import('./call.js').CallOptions} how
   * @returns {Promise<Call>} already connecting; `await call.ready` to be in
   */
  async join({ ticket, invite, ...how }) {
    if (!ticket && !invite) throw new TypeError('join needs a ticket or an invite');
    const token = ticket ?? (await this.redeem(/** @type {string} */ (invite), { name: how.name })).ticket;
    return new Call(this, token, how);
  }

  /**
   * Any call of the API. The access token is renewed before it ends, and once more when it is refused.
   * @param {string} method @param {string} path @param {unknown} [body] @param {{token?: string}} [how]
   * @returns {Promise<any>}
   */
  async request(method, path, body, { token } = {}) {
    const url = this.base + path;
    if (token || !this.#session) return request(url, { method, body, token });
    if (this.#session.expiresAt - Date.now() / 1000 < RENEW_BEFORE_S) await this.refresh();
    const used = this.#session?.accessToken;
    try {
      return await request(url, { method, body, token: used });
    } catch (wrong) {
      if (/** @type {{status?: number}} */ (wrong).status !== 401 || !this.#session) throw wrong;
      if (this.#session.accessToken === used) await this.refresh();
      return request(url, { method, body, token: this.#session?.accessToken });
    }
  }

  async #renew() {
    if (!this.#session) return;
    const { refreshToken } = this.#session;
    try {
      this.#keep(await request(`${this.base}/api/v1/auth/refresh`, { method: 'POST', body: { refreshToken } }));
    } catch (wrong) {
      if (/** @type {{status?: number}} */ (wrong).status === 401) this.#keep(undefined);
      throw wrong;
    }
  }

  /** @param {any} session */
  #keep(session) {
    this.#session = session;
    this.tell('session', session ?? null);
  }
}
