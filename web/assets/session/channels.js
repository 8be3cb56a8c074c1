// The two data channels between two people: `call` for JSON, `files` for files.

/** Agreed on beforehand, so both sides have them whoever offers. */
const IDS = { call: 0, files: 1 };

/**
 * @typedef {object} Ears
 * @property {() => boolean} mine whether anybody still listens
 * @property {(open: boolean) => void} open both are open, or they are no more
 * @property {(value: any) => void} heard a JSON value over `call`
 * @property {(frame: string|ArrayBuffer) => void} frame what came over `files`
 */

/** @param {RTCPeerConnection} pc @param {Ears} ears @returns {{call: RTCDataChannel, files: RTCDataChannel}} */
export function openChannels(pc, ears) {
  const call = pc.createDataChannel('call', { negotiated: true, id: IDS.call });
  const files = pc.createDataChannel('files', { negotiated: true, id: IDS.files });
  files.binaryType = 'arraybuffer';
  // What is said over one of them may need the other.
  const opened = () => { if (ears.mine() && call.readyState === 'open' && files.readyState === 'open') ears.open(true); };
  call.onopen = opened;
  files.onopen = opened;
  call.onclose = () => { if (ears.mine()) ears.open(false); };
  files.onmessage = ({ data }) => { if (ears.mine()) ears.frame(data); };
  call.onmessage = ({ data }) => {
    if (!ears.mine() || typeof data !== 'string') return;
    let value;
    try { value = JSON.parse(data); } catch { return; /* not ours: another kind of client */ }
    ears.heard(value);
  };
  return { call, files };
}
