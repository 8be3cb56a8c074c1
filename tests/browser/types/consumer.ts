// What an application written in TypeScript does with the SDK; compiled, never run.

import { Media, Relayhouse, RelayhouseError, type Call, type Transfer } from 'https://calls.example.org/sdk.js';

const house = new Relayhouse();

export async function enter(invite: string): Promise<Call> {
  const media = new Media();
  await media.open();
  const call = await house.join({ invite, name: 'Ada', media, relayOnly: true });
  call.on('joined', ({ peer }) => console.log(peer.name.toUpperCase()));
  call.on('chat', ({ peer, text }) => console.log(peer.id, text.length));
  call.on('file', (transfer: Transfer) => (transfer.size < 1e9 ? transfer.accept() : transfer.decline()));
  call.addEventListener('closed', (event) => console.log(event.detail.code, event.detail.error.message));
  try {
    return await call.ready;
  } catch (wrong) {
    if (wrong instanceof RelayhouseError && wrong.retryAfter !== undefined) console.log(wrong.retryAfter + 1);
    throw wrong;
  }
}

export function withoutARoom(connection: RTCPeerConnection): () => void {
  const ice = house.keepIce({ token: 'rk_…' });
  ice.on('servers', ({ iceServers }) => connection.setConfiguration({ iceServers }));
  return () => ice.stop();
}

// @ts-expect-error an event that does not exist
export const wrongEvent = (call: Call) => call.on('jioned', () => {});
// @ts-expect-error a detail that does not exist
export const wrongDetail = (call: Call) => call.on('chat', ({ sender }) => sender);
