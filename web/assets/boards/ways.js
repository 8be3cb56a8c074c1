// Tries one way to a server, as a call would use it: is it reached, does it allocate, does what is relayed come back.
// Free of DOM.

const GATHERS_WITHIN_MS = 15_000;
/** After the first answer, other addresses of the server have this long to answer too. */
const OTHERS_WITHIN_MS = 2500;
const OPENS_WITHIN_MS = 10_000;
const ECHOES = 100;
const APART_MS = 15;
const LAST_WITHIN_MS = 1500;
/** A permission is asked for at once; its answer takes a round trip. */
const PERMITTED_WITHIN_MS = 1500;

/** The browser's code for a server that did not answer. */
export const NO_ANSWER = 701;

/** @typedef {{url: string, username?: string, credential?: string, peer?: string}} Way `peer`: address:port that the relay is asked to send to as well */
/** @typedef {{sent: number, back: number, medianMs: number, worstMs: number}} Echo */
/**
 * What became of a try.
 * @typedef {object} Tried
 * @property {boolean} reached the server answered, whatever it said
 * @property {string|undefined} mapped the address the server saw, from STUN
 * @property {string[]} relayed relayed transport addresses
 * @property {{code: number, text: string, family?: 'IPv4'|'IPv6'}[]} errors what the browser was told
 * @property {number} ms until the first answer
 * @property {Echo} [echo] missing where nothing came through, or nothing was relayed
 * @property {boolean} isAlone it allocated once, and a second allocation, the echo's other end, was refused
 */

/** @param {string} url */
export const isStun = (url) => /^stuns?:/i.test(url);

const HOW = { negotiated: true, id: 0, ordered: false, maxRetransmits: 0 };

/** @param {Way} way */
function open({ url, username, credential }) {
  const server = isStun(url) ? { urls: [url] } : { urls: [url], username, credential };
  const connection = new RTCPeerConnection({ iceServers: [server], iceTransportPolicy: isStun(url) ? 'all' : 'relay' });
  return { connection, channel: connection.createDataChannel('echo', HOW) };
}

/** @typedef {ReturnType<typeof open>} End */

/** Resolves with true when the event comes and `is` holds, with false when it takes too long.
 * @param {EventTarget} target @param {string} type @param {() => boolean} is @param {number} within */
const when = (target, type, is, within) => new Promise((/** @type {(came: boolean) => void} */ resolve) => {
  if (is()) resolve(true);
  target.addEventListener(type, () => { if (is()) resolve(true); });
  setTimeout(resolve, within, false);
});

/**
 * Tries the way. Throws what the browser throws for an entry it does not take.
 * @param {Way} way @param {(what: string) => void} say what is being done
 * @returns {Promise<Tried>}
 */
export async function attempt(way, say) {
  const near = open(way);
  try {
    say('Reaching the server…');
    const tried = await gather(near, way);
    if (tried.relayed.length > 0) {
      say('Sending through the relay…');
      await echo(near, way, tried);
      if (way.peer && tried.echo) await send(near.connection, way.peer);
    }
    return tried;
  } finally {
    near.connection.close();
  }
}

/** @param {RTCPeerConnection} connection @param {Tried} tried where complaints are kept */
function keepErrors(connection, tried) {
  connection.addEventListener('icecandidateerror', (event) => {
    const { errorCode: code, errorText: text, address } = /** @type {RTCPeerConnectionIceErrorEvent} */ (event);
    const family = address ? { family: /** @type {'IPv4'|'IPv6'} */ (address.includes(':') ? 'IPv6' : 'IPv4') } : {};
    if (!tried.errors.some((one) => one.code === code && one.family === family.family)) tried.errors.push({ code, text, ...family });
  });
}

/** @param {End} near @param {Way} way @returns {Promise<Tried>} */
async function gather({ connection }, way) {
  const began = performance.now();
  /** @type {Tried} */ const tried = { reached: false, mapped: undefined, relayed: [], errors: [], ms: NaN, isAlone: false };
  const answered = new Promise((resolve) => {
    connection.addEventListener('icecandidate', ({ candidate }) => {
      if (candidate?.type === 'relay') tried.relayed.push(endpoint(candidate));
      else if (candidate?.type === 'srflx') tried.mapped ??= endpoint(candidate);
      else return;
      if (Number.isNaN(tried.ms)) tried.ms = performance.now() - began;
      setTimeout(resolve, OTHERS_WITHIN_MS, true);
    });
  });
  keepErrors(connection, tried);
  await connection.setLocalDescription();
  const isDone = () => connection.iceGatheringState === 'complete';
  const came = await Promise.race([when(connection, 'icegatheringstatechange', isDone, GATHERS_WITHIN_MS), answered]);
  // A browser that hides nothing leaves out what STUN told it and it knew: no complaint is an answer then.
  const isSilent = came && isStun(way.url) && tried.errors.every(({ code }) => code !== NO_ANSWER);
  tried.reached = isSilent || tried.relayed.length > 0 || tried.mapped !== undefined || tried.errors.some(({ code }) => code !== NO_ANSWER);
  if (Number.isNaN(tried.ms) && tried.reached) tried.ms = performance.now() - began;
  return tried;
}

/** @param {RTCIceCandidate} candidate */
function endpoint({ address, port }) {
  return address?.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/**
 * Sends numbered messages to a second allocation of the same way, nothing repeated, and counts what comes back.
 * @param {End} near gathered @param {Way} way @param {Tried} tried what is found is written here
 */
async function echo(near, way, tried) {
  const far = open(way);
  try {
    keepErrors(far.connection, tried);
    far.channel.addEventListener('message', ({ data }) => { if (far.channel.readyState === 'open') far.channel.send(data); });
    let candidates = 0;
    /** @type {(value?: undefined) => void} */ let connects = () => {};
    const isConnecting = new Promise((/** @type {typeof connects} */ resolve) => { connects = resolve; });
    far.connection.addEventListener('icecandidate', ({ candidate }) => {
      if (candidate) candidates += 1;
      // Before the answer is known, its candidates would be refused.
      isConnecting.then(() => near.connection.addIceCandidate(candidate ?? undefined)).catch(() => {});
    });
    await far.connection.setRemoteDescription(/** @type {RTCSessionDescription} */ (near.connection.localDescription));
    await far.connection.setLocalDescription();
    await near.connection.setRemoteDescription(/** @type {RTCSessionDescription} */ (far.connection.localDescription));
    connects();
    const opens = Promise.all([near, far].map(({ channel }) => when(channel, 'open', () => channel.readyState === 'open', OPENS_WITHIN_MS)));
    const isGathered = () => far.connection.iceGatheringState === 'complete';
    await Promise.race([opens, when(far.connection, 'icegatheringstatechange', isGathered, OPENS_WITHIN_MS)]);
    tried.isAlone = isGathered() && candidates === 0;
    if (!tried.isAlone && (await opens).every(Boolean)) tried.echo = await count(near.channel);
  } finally {
    far.connection.close();
  }
}

const pause = (/** @type {number} */ ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** @param {string} text `192.0.2.1:4000` or `[2001:db8::1]:4000` */
export function peerOf(text) {
  const [, address, port] = /^\[?([0-9a-f.:]+?)\]?:(\d{1,5})$/i.exec(text.trim()) ?? [];
  return address && Number(port) > 0 && Number(port) < 65536 ? { address, port: Number(port) } : undefined;
}

/**
 * Has the browser ask the relay for permission to send to a peer, as it does for every candidate of the other side.
 * What the relay answers only the relay can tell.
 * @param {RTCPeerConnection} connection connected @param {string} peer
 */
async function send(connection, peer) {
  const { address, port } = peerOf(peer) ?? {};
  await connection.addIceCandidate({ candidate: `candidate:9 1 udp 1 ${address} ${port} typ host`, sdpMid: '0' });
  await pause(PERMITTED_WITHIN_MS);
}

/** @param {RTCDataChannel} channel whose other end sends everything back @returns {Promise<Echo>} */
async function count(channel) {
  /** @type {number[]} */ const sentAt = [];
  /** @type {Map<number, number>} */ const took = new Map();
  channel.addEventListener('message', ({ data }) => {
    const number = Number(data);
    const sent = sentAt[number];
    if (sent !== undefined && !took.has(number)) took.set(number, performance.now() - sent);
  });
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
