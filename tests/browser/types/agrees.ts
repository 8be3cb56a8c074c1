// The types that are declared are the types there are: the modules themselves, held against sdk.d.ts.

import type * as Declared from '../../../web/sdk.js';
import { Relayhouse } from '../../../web/assets/session/api.js';
import { RelayhouseError } from '../../../web/assets/session/errors.js';
import { IceKeeper } from '../../../web/assets/session/ice.js';
import { Media } from '../../../web/assets/session/media.js';
import { Peer } from '../../../web/assets/session/peer.js';
import { probe } from '../../../web/assets/session/probe.js';
import { Sha256 } from '../../../web/assets/session/sha256.js';
import * as stats from '../../../web/assets/session/stats.js';
import { Transfer } from '../../../web/assets/session/transfer.js';
import * as words from '../../../web/assets/session/words.js';
import { Call } from '../../../web/assets/session/call.js';

type Names<T> = { [Name in keyof T]: unknown };

export const house: Names<Declared.Relayhouse> = new Relayhouse();
export const error: Declared.RelayhouseError = new RelayhouseError('x');
export const keeper: Names<Declared.IceKeeper> = {} as IceKeeper;
export const media: Names<Declared.Media> = new Media();
export const call: Names<Declared.Call> = {} as Call;
export const peer: Names<Declared.Peer> = {} as Peer;
export const transfer: Names<Declared.Transfer> = {} as Transfer;
export const test: Names<typeof Declared.probe> = probe;
export const sha: Declared.Sha256 = new Sha256();
export const explain: typeof Declared.explain = words.explain;
export const explainIce: typeof Declared.explainIce = words.explainIce;
export const selectedPath: typeof Declared.selectedPath = stats.selectedPath;
export const sizeWords: typeof Declared.sizeWords = stats.sizeWords;
