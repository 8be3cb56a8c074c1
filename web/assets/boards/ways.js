// Tries one way to a server, as a call would use it: is it reached, does it allocate, does what is relayed come back.
// Free of DOM.

const GATHERS_WITHIN_MS = 15_000;
const OPENS_WITHIN_MS = 12_000;
const ECHOES = 100;
const APART_MS = 15;
const LAST_WITHIN_MS = 1500;

/** @typedef {{url: string, username?: string, credential?: string}} Way */
/**
 * @typedef {object} Gathered
 * @property {boolean} reached the server answered, whatever it said
 * @property {string|undefined} mapped the address the server saw, from STUN
 * @property {string[]} relayed relayed transport addresses
 * @property {{code: number, text: string}[]} errors what the browser was told
 * @property {number} ms until the first candidate that counts
 */
/** @typedef {{sent: number, back: number, medianMs: number, worstMs: number}} Echo */

/** The browser's code for a server that did not answer. */
const NO_ANSWER = 701;

/** @param {Way} way */
const isStun = ({ url }) => /^stuns?:/i.test(url);

/** @param {Way} way @param {RTCIceTransportPolicy} policy */
function connection({ url, username, credential }, policy) {
  const server = isStun({ url }) ? { urls: [url] } : { urls: [url], username, credential };
  return new RTCPeerConnection({ iceServers: [server], iceTransportPolicy: policy });
}

/**
 * Gathers candidates over this way alone. Throws what the browser throws for an URL it does not take.
 * @param {Way} way @returns {Promise<Gathered>}
 */
export async function gather(way) {
  const peer = connection(way, isStun(way) ? 'all' : 'relay');
  const began = performance.now();
  /** @type {Gathered} */ const found = { reached: false, mapped: undefined, relayed: [], errors: [], ms: NaN };
  const counts = () => { if (Number.isNaN(found.ms)) found.ms = performance.now() - began; };
  peer.addEventListener('icecandidate', ({ candidate }) => {
    if (candidate?.type === 'relay') { found.relayed.push(`${candidate.address}:${candidate.port}`); counts(); }
    if (candidate?.type === 'srflx') { found.mapped = `${candidate.address}:${candidate.port}`; counts(); }
  });
  peer.addEventListener('icecandidateerror', (event) => {
    const { errorCode: code, errorText: text } = /** @type {RTCPeerConnectionIceErrorEvent} */ (event);
    if (!found.errors.some((one) => one.code === code && one.text === text)) found.errors.push({ code, text });
  });
  try {
    peer.createDataChannel('gather');
    const complete = new Promise((resolve) => {
      peer.addEventListener('icegatheringstatechange', () => { if (peer.iceGatheringState === 'complete') resolve(true); });
      setTimeout(resolve, GATHERS_WITHIN_MS, false);
    });
    await peer.setLocalDescription();
    const done = await complete;
    // A browser that hides nothing leaves out what STUN told it and it knew: no complaint is an answer then.
    const silent = done && found.errors.every(({ code }) => code !== NO_ANSWER);
    found.reached = found.relayed.length > 0 || found.mapped !== undefined || found.errors.some(({ code }) => code !== NO_ANSWER) || (isStun(way) && silent);
    if (found.reached) counts();
  } finally {
    peer.close();
  }
  return found;
}

/** Resolves with the channel's `open`, or undefined when it takes too long. @param {RTCDataChannel} channel */
const opened = (channel) => new Promise((resolve) => {
  channel.addEventListener('open', () => resolve(true), { once: true });
  setTimeout(resolve, OPENS_WITHIN_MS, false);
});

/**
 * Sends numbered messages through two allocations of this way, nothing repeated, and counts what comes back.
 * @param {Way} way a TURN one @returns {Promise<Echo|undefined>} undefined when no path was found
 */
export async function echo(way) {
  const [here, there] = [connection(way, 'relay'), connection(way, 'relay')];
  try {
    here.addEventListener('icecandidate', ({ candidate }) => { there.addIceCandidate(candidate ?? undefined).catch(() => {}); });
    there.addEventListener('icecandidate', ({ candidate }) => { here.addIceCandidate(candidate ?? undefined).catch(() => {}); });
    const how = { negotiated: true, id: 0, ordered: false, maxRetransmits: 0 };
    const [near, far] = [here.createDataChannel('echo', how), there.createDataChannel('echo', how)];
    far.addEventListener('message', ({ data }) => { if (far.readyState === 'open') far.send(data); });
    const open = Promise.all([opened(near), opened(far)]);
    await here.setLocalDescription();
    await there.setRemoteDescription(/** @type {RTCSessionDescription} */ (here.localDescription));
    await there.setLocalDescription();
    await here.setRemoteDescription(/** @type {RTCSessionDescription} */ (there.localDescription));
    const [nearOpen, farOpen] = await open;
    return nearOpen && farOpen ? await count(near) : undefined;
  } finally {
    here.close();
    there.close();
  }
}

/** @param {RTCDataChannel} channel whose other end sends everything back @returns {Promise<Echo>} */
async function count(channel) {
  /** @type {number[]} */ const sentAt = [];
  /** @type {Map<number, number>} */ const took = new Map();
  channel.addEventListener('message', ({ data }) => {
    const number = Number(data);
    if (sentAt[number] !== undefined && !took.has(number)) took.set(number, performance.now() - sentAt[number]);
  });
  const pause = (/** @type {number} */ ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
  for (let number = 0; number < ECHOES && channel.readyState === 'open'; number += 1) {
    sentAt.push(performance.now());
    channel.send(String(number));
    await pause(APART_MS);
  }
  const end = performance.now() + LAST_WITHIN_MS;
  while (took.size < sentAt.length && performance.now() < end) await pause(APART_MS);
  const times = [...took.values()].toSorted((a, b) => a - b);
  return { sent: ECHOES, back: times.length, medianMs: times[times.length >> 1] ?? NaN, worstMs: times.at(-1) ?? NaN };
}
