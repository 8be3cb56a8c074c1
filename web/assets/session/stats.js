// Which candidate pair carries a connection, from getStats, and the same in plain words.

/**
 * @typedef {object} End
 * @property {string} type host, srflx, prflx or relay
 * @property {string} address with port; IPv6 in brackets
 * @property {string} protocol udp or tcp
 * @property {string} [relayProtocol] how we reach our relay
 */
/**
 * @typedef {object} Path
 * @property {End} local
 * @property {End} remote
 * @property {number|undefined} roundTripMs
 * @property {number} sent bytes
 * @property {number} received bytes
 * @property {number} at milliseconds
 */

/** @param {any} candidate @returns {End} */
function endOf(candidate) {
  const host = candidate.address ?? candidate.ip;
  // A browser may hide a host's address from the page (mDNS).
  const address = host ? (host.includes(':') ? `[${host}]` : host) : 'hidden address';
  return {
    type: candidate.candidateType,
    address: candidate.port ? `${address}:${candidate.port}` : address,
    protocol: candidate.protocol ?? 'udp',
    relayProtocol: candidate.relayProtocol,
  };
}

/**
 * @param {RTCStatsReport} report
 * @returns {Path|undefined} nothing while no pair is selected
 */
export function selectedPath(report) {
  const all = [...report.values()];
  const chosen = all.find((one) => one.type === 'transport' && one.selectedCandidatePairId)?.selectedCandidatePairId;
  const pair = (chosen && report.get(chosen))
    ?? all.find((one) => one.type === 'candidate-pair' && (one.selected || (one.nominated && one.state === 'succeeded')));
  const local = pair && report.get(pair.localCandidateId);
  const remote = pair && report.get(pair.remoteCandidateId);
  if (!local || !remote) return undefined;
  return {
    local: endOf(local),
    remote: endOf(remote),
    roundTripMs: pair.currentRoundTripTime === undefined ? undefined : pair.currentRoundTripTime * 1000,
    sent: pair.bytesSent ?? 0,
    received: pair.bytesReceived ?? 0,
    at: pair.timestamp,
  };
}

/** @param {Path} path @returns {string} where the call goes, in a few words */
export function headline({ local, remote }) {
  if (local.type === 'relay' && remote.type === 'relay') return 'Relayed both ways';
  if (local.type === 'relay') return 'Relayed on this side';
  if (remote.type === 'relay') return 'Relayed on the other side';
  if (local.type === 'host' && remote.type === 'host') return 'Direct, on one network';
  return 'Direct, across the internet';
}

const TYPE_WORDS = { host: 'host', srflx: 'public', prflx: 'public', relay: 'relay' };

/** @param {End} end */
const endWords = (end) => `${TYPE_WORDS[/** @type {keyof TYPE_WORDS} */ (end.type)] ?? end.type} ${end.address}`;

/** @param {number} bitsPerSecond */
export function rateWords(bitsPerSecond) {
  if (bitsPerSecond >= 1e6) return `${(bitsPerSecond / 1e6).toFixed(1)} Mbit/s`;
  return `${Math.round(bitsPerSecond / 1e3)} kbit/s`;
}

/** @param {number} bytes */
export function sizeWords(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const unit = bytes < 1e6 ? ['kB', 1e3] : bytes < 1e9 ? ['MB', 1e6] : ['GB', 1e9];
  const value = bytes / Number(unit[1]);
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit[0]}`;
}

/** @param {number} ms */
export const timeWords = (ms) => (ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`);

/**
 * @param {Path} path
 * @param {Path} [before] an earlier reading of the same connection, for the rates
 * @returns {{headline: string, ends: string, numbers: string}}
 */
export function describe(path, before) {
  const { local, remote } = path;
  const overTo = local.relayProtocol && local.relayProtocol !== 'udp' ? ` (${local.relayProtocol.toUpperCase()} to the relay)` : '';
  const parts = [local.protocol.toUpperCase() + overTo];
  if (path.roundTripMs !== undefined) parts.push(`${timeWords(path.roundTripMs)} round trip`);
  const seconds = before ? (path.at - before.at) / 1000 : 0;
  if (before && seconds > 0 && path.sent >= before.sent && path.received >= before.received) {
    parts.push(`${rateWords(((path.sent - before.sent) * 8) / seconds)} up`);
    parts.push(`${rateWords(((path.received - before.received) * 8) / seconds)} down`);
  }
  return { headline: headline(path), ends: `${endWords(local)} ⇄ ${endWords(remote)}`, numbers: parts.join(', ') };
}
