// @ts-self-types="./sdk.d.ts"
// The client SDK: rooms, calls, chat, files and ICE servers of the Relayhouse this module was loaded from.
//
//   import { Relayhouse } from 'https://calls.example.org/sdk.js';
//   const call = await new Relayhouse().join({ invite, name: 'Ada', stream });
//
// No dependencies, no DOM. Types stand in sdk.d.ts, the manual in docs/sdk.md.

export { Relayhouse } from './assets/session/api.js';
export { Call } from './assets/session/call.js';
export { RelayhouseError } from './assets/session/errors.js';
export { IceKeeper } from './assets/session/ice.js';
export { Media } from './assets/session/media.js';
export { probe } from './assets/session/probe.js';
export { Sha256 } from './assets/session/sha256.js';
export { describe, headline, rateWords, selectedPath, sizeWords, timeWords } from './assets/session/stats.js';
export { explain, explainDevices, explainIce, explainNoRoom, explainScreen, inviteOf, leftWords } from './assets/session/words.js';
