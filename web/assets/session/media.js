// Our own microphone and camera. The stream object stays the same; its tracks come and go.

/** @typedef {'none'|'denied'|'missing'|'busy'|'insecure'|'failed'} DeviceTrouble */

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

/** Events: `changed`, after any switch or when a device went away. */
export class Media extends EventTarget {
  stream = new MediaStream();
  /** What went wrong at the last attempt, a kind. @type {{audio: DeviceTrouble, video: DeviceTrouble}} */
  trouble = { audio: 'none', video: 'none' };

  get mic() { return this.#track('audio')?.enabled ?? false; }
  get camera() { return this.#track('video') !== undefined; }

  /** Asks for both devices, then for each alone, so that one missing does not cost the other. */
  async open() {
    if (!navigator.mediaDevices?.getUserMedia) {
      this.trouble = { audio: 'insecure', video: 'insecure' };
      return this.#changed();
    }
    try {
      const both = await navigator.mediaDevices.getUserMedia(CONSTRAINTS);
      both.getTracks().forEach((track) => this.#take(track));
      this.trouble = { audio: 'none', video: 'none' };
    } catch (cause) {
      if (troubleOf(cause) === 'denied') this.trouble = { audio: 'denied', video: 'denied' };
      else for (const kind of /** @type {const} */ (['audio', 'video'])) await this.#openOne(kind);
    }
    return this.#changed();
  }

  /** Muting keeps the microphone, so that unmuting is instant. */
  async toggleMic() {
    const track = this.#track('audio');
    if (track) track.enabled = !track.enabled;
    else await this.#openOne('audio');
    this.#changed();
  }

  /** Switching the camera off lets go of it, so that its light goes out. */
  async toggleCamera() {
    const track = this.#track('video');
    if (track) this.#release(track);
    else await this.#openOne('video');
    this.#changed();
  }

  close() {
    this.stream.getTracks().forEach((track) => this.#release(track));
  }

  /** @param {'audio'|'video'} kind */
  async #openOne(kind) {
    try {
      if (!navigator.mediaDevices?.getUserMedia) throw Object.assign(new Error(), { name: 'insecure' });
      const stream = await navigator.mediaDevices.getUserMedia({ [kind]: CONSTRAINTS[kind] });
      stream.getTracks().forEach((track) => this.#take(track));
      this.trouble[kind] = 'none';
    } catch (cause) {
      this.trouble[kind] = navigator.mediaDevices ? troubleOf(cause) : 'insecure';
    }
  }

  /** @param {MediaStreamTrack} track */
  #take(track) {
    const held = this.#track(/** @type {'audio'|'video'} */ (track.kind));
    if (held) this.#release(held);
    if (track.kind === 'video') track.contentHint = 'motion';
    this.stream.addTrack(track);
    // Unplugged, or taken away in the browser's own controls.
    track.onended = () => { this.#release(track); this.#changed(); };
  }

  /** @param {MediaStreamTrack} track */
  #release(track) {
    track.onended = null;
    track.stop();
    this.stream.removeTrack(track);
  }

  /** @param {'audio'|'video'} kind */
  #track(kind) {
    return this.stream.getTracks().find((track) => track.kind === kind);
  }

  #changed() {
    this.dispatchEvent(new Event('changed'));
  }
}
