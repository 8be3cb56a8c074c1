// Our tracks on a connection: one transceiver a kind, always both ways, so that switching a device needs no negotiation.

import { applyShare } from './share.js';

const KINDS = /** @type {const} */ (['audio', 'video']);

/** @param {MediaStream} stream @param {string} kind */
const trackOf = (stream, kind) => stream.getTracks().find((one) => one.kind === kind) ?? null;

/** Makes the transceivers, for a first offer. @param {RTCPeerConnection} pc @param {MediaStream} stream */
export function addTracks(pc, stream) {
  for (const kind of KINDS) pc.addTransceiver(trackOf(stream, kind) ?? kind, { direction: 'sendrecv', streams: [stream] });
}

/**
 * Puts the present tracks on the wire; none of a kind means nothing is sent of it.
 * @param {RTCPeerConnection} pc @param {MediaStream} stream @param {import('./share.js').Share} [share]
 */
export async function attachTracks(pc, stream, share) {
  for (const transceiver of pc.getTransceivers()) {
    if (transceiver.currentDirection === 'stopped') continue;
    const { sender, receiver } = transceiver;
    const track = trackOf(stream, receiver.track.kind);
    transceiver.direction = 'sendrecv';
    sender.setStreams?.(stream);
    if (sender.track !== track) await sender.replaceTrack(track);
    if (receiver.track.kind === 'video' && share) await applyShare(sender, share);
  }
}
