// How much of our upstream each person gets: in a mesh we send our picture once to everybody.

/** Up to so many others: bits per second for each, and by how much the picture is made smaller. */
const STEPS = [
  { others: 1, maxBitrate: 2_500_000, scaleResolutionDownBy: 1 },
  { others: 3, maxBitrate: 900_000, scaleResolutionDownBy: 2 },
  { others: 5, maxBitrate: 450_000, scaleResolutionDownBy: 3 },
  { others: Infinity, maxBitrate: 250_000, scaleResolutionDownBy: 4 },
];

/** @typedef {{maxBitrate: number, scaleResolutionDownBy: number}} Share */

/** @param {number} others people we send to @param {boolean} screen small letters must stay readable @returns {Share} */
export function shareOf(others, screen) {
  const { maxBitrate, scaleResolutionDownBy } = STEPS.find((step) => others <= step.others) ?? STEPS[0];
  return { maxBitrate, scaleResolutionDownBy: screen ? 1 : scaleResolutionDownBy };
}

/** @param {RTCRtpSender} sender @param {Share} share */
export async function applyShare(sender, share) {
  const parameters = sender.getParameters();
  const [encoding] = parameters.encodings ?? [];
  // Before the first negotiation some browsers have none.
  if (!encoding || (encoding.maxBitrate === share.maxBitrate && encoding.scaleResolutionDownBy === share.scaleResolutionDownBy)) return;
  Object.assign(encoding, share);
  // A picture that is too large is better than none.
  await sender.setParameters(parameters).catch(() => {});
}
