// Our own microphone, camera and screen. The stream object stays the same; its tracks come and go.

import { Emitter } from './emitter.js';

/** @typedef {'none'|'denied'|'missing'|'busy'|'insecure'|'failed'} DeviceTrouble */
/** @typedef {'audio'|'video'} Kind */

const CONSTRAINTS = {
  audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } },
};

/** @param {unknown} cause @returns {DeviceTrouble} */
function troubleOf(cause) {
  switch (/** @type {{name?: string}} */ (cause)?.name) {
    case 'NotAllowedError': case 'SecurityError': return 'denied';
    case 'NotFoundError': case 'OverconstrainedError': return 'missing';
    case 'NotReadableError': case 'AbortError': return 'busy';
    default: return 'failed';
  }
}

/** Event: `changed`, after any switch or when a device went away. */
export class Media extends Emitter {
  stream = new MediaStream();
  /** What went wrong at the last attempt, a kind. @type {{audio: DeviceTrouble, video: DeviceTrouble, screen: DeviceTrouble}} */
  trouble = { audio: 'none', video: 'none', screen: 'none' };
  /** The devices asked for; the browser's choice unless set. @type {{audio?: string, video?: string}} */
  chosen = {};
  /** Whether the picture is a screen. */
  screen = false;
  #cameraBefore = false;

  get mic() { return this.#track('audio')?.enabled ?? false; }
  get camera() { return !this.screen && this.#track('video') !== undefined; }

  /** Asks for both devices, then for each alone, so that one missing does not cost the other. */
  async open() {
    if (!navigator.mediaDevices?.getUserMedia) {
      this.trouble = { ...this.trouble, audio: 'insecure', video: 'insecure' };
      return this.tell('changed');
    }
    try {
      const both = await navigator.mediaDevices.getUserMedia({ audio: this.#wanted('audio'), video: this.#wanted('video') });
      both.getTracks().forEach((track) => this.#take(track));
      this.trouble = { ...this.trouble, audio: 'none', video: 'none' };
    } catch (cause) {
      if (troubleOf(cause) === 'denied') this.trouble = { ...this.trouble, audio: 'denied', video: 'denied' };
      else for (const kind of /** @type {const} */ (['audio', 'video'])) await this.#openOne(kind);
    }
    navigator.mediaDevices.addEventListener('devicechange', this.#devicesChanged);
    return this.tell('changed');
  }

  /** Muting keeps the microphone, so that unmuting is instant. */
  async toggleMic() {
    const track = this.#track('audio');
    if (track) track.enabled = !track.enabled;
    else await this.#openOne('audio');
    this.tell('changed');
  }

  /** Switching the camera off lets go of it, so that its light goes out. */
  async toggleCamera() {
    const track = this.camera && this.#track('video');
    if (track) this.#release(track);
    else await this.#openOne('video');
    this.tell('changed');
  }

  /** Shows a screen or window in place of the camera, until called again or ended in the browser's own bar. */
  async toggleScreen() {
    if (this.screen) return this.#endScreen();
    if (!navigator.mediaDevices?.getDisplayMedia) {
      this.trouble.screen = globalThis.isSecureContext === false ? 'insecure' : 'missing';
      return this.tell('changed');
    }
    try {
      const shown = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 15 } }, audio: false });
      this.#cameraBefore = this.camera;
      const [track] = shown.getVideoTracks();
      this.#take(track);
      track.contentHint = 'detail';
      track.onended = () => this.#endScreen();
      this.screen = true;
      this.trouble.screen = 'none';
    } catch (cause) {
      this.trouble.screen = troubleOf(cause);
    }
    return this.tell('changed');
  }

  /** Microphones, cameras and loudspeakers. Without permission they have no names. @returns {Promise<MediaDeviceInfo[]>} */
  async devices() {
    return await navigator.mediaDevices?.enumerateDevices?.() ?? [];
  }

  /** Chooses a device; one that is in use is changed at once. @param {Kind} kind @param {string} deviceId empty: the browser's choice */
  async use(kind, deviceId) {
    this.chosen[kind] = deviceId || undefined;
    const track = this.#track(kind);
    if (track && !(kind === 'video' && this.screen)) {
      const muted = !track.enabled;
      this.#release(track); // first: some cameras open once only
      await this.#openOne(kind);
      const now = this.#track(kind);
      if (now && muted) now.enabled = false;
    }
    this.tell('changed');
  }

  /** The device in use. @param {Kind} kind */
  deviceOf(kind) { return this.#track(kind)?.getSettings().deviceId ?? this.chosen[kind] ?? ''; }

  close() {
    navigator.mediaDevices?.removeEventListener('devicechange', this.#devicesChanged);
    this.screen = false;
    this.stream.getTracks().forEach((track) => this.#release(track));
  }

  #devicesChanged = () => this.tell('devices');

  async #endScreen() {
    const track = this.#track('video');
    if (!this.screen) return;
    this.screen = false;
    if (track) this.#release(track);
    if (this.#cameraBefore) await this.#openOne('video');
    this.tell('changed');
  }

  /** @param {Kind} kind @returns {MediaTrackConstraints} */
  #wanted(kind) {
    const id = this.chosen[kind];
    return { ...CONSTRAINTS[kind], ...(id ? { deviceId: { ideal: id } } : {}) };
  }

  /** @param {Kind} kind */
  async #openOne(kind) {
    try {
      if (!navigator.mediaDevices?.getUserMedia) throw Object.assign(new Error(), { name: 'insecure' });
      const stream = await navigator.mediaDevices.getUserMedia({ [kind]: this.#wanted(kind) });
      stream.getTracks().forEach((track) => this.#take(track));
      this.trouble[kind] = 'none';
    } catch (cause) {
      this.trouble[kind] = navigator.mediaDevices ? troubleOf(cause) : 'insecure';
    }
  }

  /** @param {MediaStreamTrack} track */
  #take(track) {
    const held = this.#track(/** @type {Kind} */ (track.kind));
    if (held) this.#release(held);
    if (track.kind === 'video') {
      this.screen = false;
      track.contentHint = 'motion';
    }
    this.stream.addTrack(track);
    // Unplugged, or taken away in the browser's own controls.
    track.onended = () => { this.#release(track); this.tell('changed'); };
  }

  /** @param {MediaStreamTrack} track */
  #release(track) {
    track.onended = null;
    track.stop();
    this.stream.removeTrack(track);
  }

  /** @param {Kind} kind */
  #track(kind) {
    return this.stream.getTracks().find((track) => track.kind === kind);
  }
}
