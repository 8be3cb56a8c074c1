// Sends numbered messages over a peer's data channel and waits for their echoes.

const ECHOES_WITHIN_MS = 10_000;

/**
 * @param {import('./peer.js').Peer} peer
 * @param {number} count
 * @returns {Promise<{sent: number, back: number, inOrder: boolean, medianMs: number}>}
 */
export function probe(peer, count = 100) {
  /** @type {number[]} */ const sentAt = [];
  /** @type {number[]} */ const times = [];
  let inOrder = true;
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      peer.removeEventListener('heard', heard);
      const sorted = times.toSorted((a, b) => a - b);
      resolve({ sent: count, back: times.length, inOrder, medianMs: sorted[sorted.length >> 1] ?? NaN });
    };
    const send = () => {
      sentAt.push(performance.now());
      if (!peer.say({ kind: 'probe', n: sentAt.length - 1 })) done();
    };
    /** @param {Event} event */
    const heard = (event) => {
      const value = /** @type {CustomEvent} */ (event).detail;
      if (value?.kind !== 'probed') return;
      if (value.n !== times.length) inOrder = false;
      times.push(performance.now() - (sentAt[value.n] ?? NaN));
      if (times.length === count) done();
      else if (sentAt.length < count) send();
    };
    const timer = setTimeout(done, ECHOES_WITHIN_MS);
    peer.addEventListener('heard', heard);
    // Ten on the way at once: a lost or reordered message shows, and the channel is not flooded.
    for (let i = 0; i < Math.min(10, count); i += 1) send();
  });
}
