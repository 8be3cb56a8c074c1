// When to look for a path again: soon after a connection failed or fell silent, then now and then.

const DISCONNECTED_PATIENCE_MS = 3000;
const AGAIN_AFTER_MS = 8000;

/** Watches one peer's ICE connection states and calls for an ICE restart until it is connected. */
export class Repair {
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #timer;

  /** @param {() => void} restart */
  constructor(restart) {
    this.restart = restart;
  }

  /** @param {RTCIceConnectionState} state */
  saw(state) {
    this.stop();
    if (state === 'failed') this.#again();
    // Most silences pass by themselves: a tunnel, a lift.
    if (state === 'disconnected') this.#timer = setTimeout(() => this.#again(), DISCONNECTED_PATIENCE_MS);
  }

  stop() {
    clearTimeout(this.#timer);
  }

  #again() {
    this.restart();
    this.#timer = setTimeout(() => this.#again(), AGAIN_AFTER_MS);
  }
}
