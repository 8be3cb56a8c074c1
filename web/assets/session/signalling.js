// Native signalling over a WebSocket: hello, ready, heartbeat, resume with back-off.

import { Emitter } from './emitter.js';

const HEARTBEAT_MS = 15_000;
const PONG_WITHIN_MS = 8_000;
const READY_WITHIN_MS = 10_000;
const BACKOFF_MS = [200, 500, 1000, 2000, 4000, 8000];
const OUTBOX_LIMIT = 500;

/** Errors after which another attempt with the same ticket cannot help. */
const FINAL = new Set(['unauthorized', 'invalid_token', 'forbidden', 'no_such_room', 'room_full', 'room_locked', 'kicked']);

/**
 * One seat in one room, kept over dropped connections.
 *
 * Events: `message` (detail: a server message), `status` (detail: `connecting`, `open`, `waiting`,
 * `lost` or `closed`), `closed` (detail: `{code, message}`; no further attempt is made).
 */
export class Signalling extends Emitter {
  /** @type {WebSocket|undefined} */ #socket;
  #attempt = 0;
  #ready = false;
  #over = false;
  /** Number of the last message that a resume would replay. @type {number|undefined} */ #seen;
  /** @type {string[]} */ #outbox = [];
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #retryTimer;
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #watchTimer;
  /** @type {ReturnType<typeof setInterval>|undefined} */ #heartbeat;

  /** @param {{url: string, token: string}} seat */
  constructor({ url, token }) {
    super();
    this.url = url;
    this.token = token;
    /** Continues this seat when the connection drops; from the last `ready`. @type {string|undefined} */
    this.resume = undefined;
  }

  /** Connects now, at once if an attempt was waiting for its turn. */
  connect() {
    if (this.#over || this.#socket) return;
    clearTimeout(this.#retryTimer);
    this.tell('status', 'connecting');
    const socket = new WebSocket(this.url);
    this.#socket = socket;
    this.#watch(socket, READY_WITHIN_MS);
    socket.onopen = () => socket.send(JSON.stringify({
      type: 'hello', token: this.token, ...(this.resume ? { resume: this.resume, seen: this.#seen } : {}),
    }));
    socket.onmessage = (event) => this.#heard(socket, event.data);
    socket.onclose = () => this.#dropped(socket);
  }

  /** Drops a connection that may have died unnoticed (the network changed) and makes a new one. */
  reconnect() {
    if (this.#socket) this.#dropped(this.#socket, true);
    else this.connect();
  }

  /**
   * Sends a message; one that finds no connection waits for the next `ready`.
   * @param {{type: string} & Record<string, unknown>} message
   */
  send(message) {
    const text = JSON.stringify(message);
    if (this.#ready) this.#socket?.send(text);
    else if (this.#outbox.length < OUTBOX_LIMIT) this.#outbox.push(text);
  }

  /** Gives the seat up: tells the room and closes for good. */
  leave() {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send('{"type":"leave"}');
    this.#finish('left', '');
  }

  /** @param {WebSocket} socket @param {unknown} data */
  #heard(socket, data) {
    if (socket !== this.#socket || typeof data !== 'string') return;
    let message;
    try { message = JSON.parse(data); } catch { return; }
    if (this.#heartbeat) clearTimeout(this.#watchTimer);
    if (typeof message.seq === 'number') this.#seen = message.seq;
    switch (message.type) {
      case 'pong': case 'welcome': return;
      case 'waiting':
        clearTimeout(this.#watchTimer);
        this.#beat(socket);
        this.tell('message', message);
        this.tell('status', 'waiting');
        return;
      case 'ready': this.#opened(socket, message); return;
      case 'leave': this.#told(message); return;
      case 'error': if (this.#refused(message)) return; break;
      default:
    }
    this.tell('message', message);
  }

  /** @param {WebSocket} socket @param {any} message */
  #opened(socket, message) {
    clearTimeout(this.#watchTimer);
    this.#attempt = 0;
    this.#ready = true;
    if (message.resumed === false) this.#forget();
    this.resume = message.resume ?? this.resume;
    this.#beat(socket);
    this.tell('status', 'open');
    this.tell('message', message);
    for (const text of this.#outbox.splice(0)) socket.send(text);
  }

  /** A new seat: what was meant for the old one is of no use. */
  #forget() {
    this.#seen = undefined;
    this.#outbox = [];
  }

  /** The server ends the connection and says what to do next. @param {any} message */
  #told({ reason, action, retryAfter }) {
    if (action === 'resume' || action === 'reconnect') {
      if (action === 'reconnect') this.resume = undefined;
      if (this.#socket) this.#dropped(this.#socket, false, Number(retryAfter) * 1000 || undefined);
    } else {
      this.#finish(reason ?? 'ended', '');
    }
  }

  /** @param {any} message @returns {boolean} whether the error was dealt with here */
  #refused({ code, message }) {
    if (this.#ready || !FINAL.has(code)) return false;
    this.#finish(code, message);
    return true;
  }

  /** @param {WebSocket} socket */
  #beat(socket) {
    clearInterval(this.#heartbeat);
    this.#heartbeat = setInterval(() => {
      if (socket.readyState !== WebSocket.OPEN) return;
      socket.send('{"type":"ping"}');
      this.#watch(socket, PONG_WITHIN_MS);
    }, HEARTBEAT_MS);
  }

  /** @param {WebSocket} socket @param {number} ms silence for that long counts as a dropped connection */
  #watch(socket, ms) {
    clearTimeout(this.#watchTimer);
    this.#watchTimer = setTimeout(() => this.#dropped(socket), ms);
  }

  /** @param {WebSocket} socket @param {boolean} [atOnce] @param {number} [waitMs] */
  #dropped(socket, atOnce = false, waitMs = undefined) {
    if (socket !== this.#socket || this.#over) return;
    this.#hangUp();
    this.tell('status', 'lost');
    const backoff = BACKOFF_MS[Math.min(this.#attempt, BACKOFF_MS.length - 1)];
    this.#attempt += 1;
    // Jitter, so that a restarted server is not met by everyone in the same instant.
    const wait = atOnce ? 0 : waitMs ?? backoff * (0.75 + Math.random() / 2);
    this.#retryTimer = setTimeout(() => this.connect(), wait);
  }

  /** @param {string} code @param {string} message */
  #finish(code, message) {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#retryTimer);
    this.#hangUp();
    this.tell('status', 'closed');
    this.tell('closed', { code, message });
  }

  #hangUp() {
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
    clearTimeout(this.#watchTimer);
    this.#ready = false;
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close(1000);
  }
}
