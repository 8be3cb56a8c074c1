// Events with a detail, and a short way to listen to them.

export class Emitter extends EventTarget {
  /**
   * Calls `run` with the detail of every event of the type.
   * @param {string} type
   * @param {(detail: any) => void} run
   * @returns {() => void} stops it
   */
  on(type, run) {
    /** @param {Event} event */
    const listener = (event) => run(/** @type {CustomEvent} */ (event).detail);
    this.addEventListener(type, listener);
    return () => this.removeEventListener(type, listener);
  }

  /** @param {string} type @param {unknown} [detail] */
  tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
