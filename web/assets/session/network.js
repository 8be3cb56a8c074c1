// Tells when this machine moved to another network, where there is a window that knows.

/** `online` and a new connection type come together: one move is told once. */
const SETTLES_MS = 300;

/**
 * @param {(online: boolean) => void} moved told true when paths have to be looked for anew, false when there
 *   is no network at all
 * @returns {() => void} stops it
 */
export function watchNetwork(moved) {
  if (typeof globalThis.addEventListener !== 'function') return () => {};
  /** @type {ReturnType<typeof setTimeout>|undefined} */ let timer;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(() => moved(true), SETTLES_MS);
  };
  const gone = () => {
    clearTimeout(timer);
    moved(false);
  };
  /** @type {any} */ const connection = globalThis.navigator && /** @type {any} */ (globalThis.navigator).connection;
  // `change` also tells of new estimates of speed, which change no path.
  let type = connection?.type;
  const typeChanged = () => {
    if (connection.type === type) return;
    type = connection.type;
    if (type !== 'none') soon();
  };
  globalThis.addEventListener('online', soon);
  globalThis.addEventListener('offline', gone);
  connection?.addEventListener?.('change', typeChanged);
  return () => {
    clearTimeout(timer);
    globalThis.removeEventListener('online', soon);
    globalThis.removeEventListener('offline', gone);
    connection?.removeEventListener?.('change', typeChanged);
  };
}
