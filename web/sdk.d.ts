/** Types of `/sdk.js`. The manual is docs/sdk.md. */

/** Calls `run` with the detail of every event; the answer stops it. `addEventListener` works too. */
declare class Emitter<Events> extends EventTarget {
  on<Type extends keyof Events & string>(type: Type, run: (detail: Events[Type]) => void): () => void;
  addEventListener<Type extends keyof Events & string>(
    type: Type,
    listener: (event: CustomEvent<Events[Type]>) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
}

export type Role = 'host' | 'guest';

export interface Room {
  id: string;
  name: string | null;
  capacity: number;
  /** Guests wait for a host. */
  lobby: boolean;
  locked: boolean;
  /** Unix seconds, as all times. */
  created: number;
  expires: number | null;
  participants?: number;
  waiting?: number;
  owner?: string;
}

export interface IceAnswer {
  iceServers: RTCIceServer[];
  /** Seconds for which the credentials are good. */
  ttl: number;
  expiresAt: number;
}

export interface User {
  name: string;
  role: 'user' | 'admin';
  email?: string;
}

export interface Session {
  accessToken: string;
  expiresAt: number;
  refreshToken: string;
  refreshExpiresAt: number;
  user: User;
}

export interface Invite {
  /** A secret, shown this once. */
  invite: string;
  /** Takes it back: `revokeInvite`. */
  id?: string;
  /** Opens the call page of this server. */
  url: string;
  expiresAt: number;
}

export interface Seat {
  room: Room;
  ticket: string;
}

export interface Participant {
  peer: string;
  name: string | null;
  role: Role;
  publishing: boolean;
  connected: boolean;
}

/** Proof of the caller, where it is not who is signed in: API key, creator ticket or room ticket. */
export interface As {
  token?: string;
}

/** Every failure: `code` for programs, `message` for people. */
export declare class RelayhouseError extends Error {
  constructor(code: string, more?: { detail?: string; status?: number; retryAfter?: number });
  /** The server's stable code, or `unreachable`, `timeout`, `not_json`, `peer_left`, `file_too_big`, … */
  readonly code: string;
  /** What the server said. */
  readonly detail: string;
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  /** Seconds to wait before another try. */
  readonly retryAfter: number | undefined;
}

export interface RelayhouseEvents {
  /** Signed in, renewed, or (null) over. */
  session: Session | null;
}

/** One server. */
export declare class Relayhouse extends Emitter<RelayhouseEvents> {
  /** @param base its address; where this module came from unless given */
  constructor(base?: string);
  readonly base: string;
  readonly signalUrl: string;
  session: Session | undefined;

  login(username: string, password: string): Promise<Session>;
  refresh(): Promise<Session | undefined>;
  logout(): Promise<void>;
  me(): Promise<{ user: User; session: { expiresAt: number; sliding: boolean } }>;

  createRoom(wanted?: { name?: string; capacity?: number; lobby?: boolean; expires?: number }, how?: As): Promise<Seat>;
  rooms(how?: As & { after?: string; limit?: number }): Promise<{ rooms: Room[]; next?: string }>;
  room(room: string, how?: As): Promise<Room>;
  changeRoom(room: string, change: { locked?: boolean; name?: string | null }, how?: As): Promise<Room>;
  closeRoom(room: string, how?: As): Promise<void>;
  createTicket(room: string, wanted?: { role?: Role; name?: string }, how?: As): Promise<Seat>;
  createInvite(room: string, how?: As & { ttl?: number }): Promise<Invite>;
  invites(room: string, how?: As): Promise<{ id: string; expiresAt: number; created: number }[]>;
  revokeInvite(room: string, id: string, how?: As): Promise<void>;
  /** Spends an invite, or the link that holds it. */
  redeem(invite: string, who?: { name?: string }): Promise<Seat>;
  participants(room: string, how?: As): Promise<{ participants: Participant[]; waiting: { peer: string; name: string | null }[] }>;
  moderate(room: string, peer: string, what: 'kick' | 'admit' | 'deny', how?: As): Promise<void>;

  ice(how?: As & { ttl?: number }): Promise<IceAnswer>;
  /** ICE servers that stay fresh without a room. */
  keepIce(how?: As & { ttl?: number }): IceKeeper;

  /** Takes a seat in a room. The call is connecting already; `await call.ready` to be in. */
  join(how: { ticket?: string; invite?: string } & CallOptions): Promise<Call>;
  /** Any call of the API, in the name of who is signed in. */
  request(method: string, path: string, body?: unknown, how?: As): Promise<any>;
}

export interface IceKeeperEvents {
  servers: IceAnswer;
  /** A renewal failed; it is tried again. */
  error: RelayhouseError;
}

export declare class IceKeeper extends Emitter<IceKeeperEvents> {
  constructor(fetchFresh: () => Promise<IceAnswer>, how?: { first?: IceAnswer; share?: number });
  readonly current: IceAnswer | undefined;
  readonly ready: Promise<IceAnswer>;
  renew(): Promise<IceAnswer>;
  stop(): void;
}

export interface CallOptions {
  /** Shown to the others. */
  name?: string;
  /** Our devices; their switches are told to the others. */
  media?: Media;
  /** Or a stream of your own; call `update` after changing its tracks. */
  stream?: MediaStream;
  /** Use paths through the relay only: hides our address from the others. */
  relayOnly?: boolean;
  /** Bytes a file offered to us may have; 2 GiB unless given. */
  largestFile?: number;
}

export type CallState = 'connecting' | 'waiting' | 'open' | 'lost' | 'closed';

export interface CallEvents {
  state: CallState;
  /** We are in, or the room changed. */
  room: { room: Room; role: Role };
  joined: { peer: Peer };
  left: { peer: Peer; reason?: string };
  /** Something about a person changed: name, devices, stream, connection. */
  peer: Peer;
  chat: { peer: Peer; text: string };
  /** From `send`, browser to browser. */
  data: { peer: Peer; data: any };
  /** From `message`, through the server. */
  message: { peer: Peer | undefined; data: any };
  /** Somebody offers a file. */
  file: Transfer;
  /** To hosts: somebody waits in the lobby. */
  knock: { peer: string; name?: string | null };
  /** Somebody does not wait any more. */
  gone: { peer: string };
  /** Fresh ICE servers are in use. */
  credentials: IceAnswer;
  network: { online: boolean };
  /** Something was refused; the call goes on. */
  error: RelayhouseError;
  /** A STUN or TURN server failed, as the browser tells it. */
  iceerror: { peer: Peer; url: string; code: number; text: string };
  /** Only relayed paths are wanted and no relay answered. */
  norelay: Peer;
  /** It is over. `code` is `left`, `kicked`, `denied`, `room_full`, … */
  closed: { code: string; error: RelayhouseError; entered: boolean };
}

/** A seat in a room, and the people there. */
export declare class Call extends Emitter<CallEvents> {
  constructor(house: Relayhouse, ticket: string, how?: CallOptions);
  /** Settles when we are in, or could not come in. */
  readonly ready: Promise<Call>;
  readonly state: CallState;
  readonly ticket: string;
  readonly role: Role;
  readonly room: Room;
  /** Our own id. */
  readonly id: string | undefined;
  readonly peers: Map<string, Peer>;
  /** Who waits in the lobby, as hosts are told. */
  readonly waiting: Map<string, { peer: string; name?: string | null }>;
  readonly iceServers: RTCIceServer[];
  readonly stream: MediaStream;
  readonly self: { name: string; mic: boolean; camera: boolean; screen: boolean };
  readonly relayOnly: boolean;

  setRelayOnly(wanted: boolean): void;
  update(self?: { name?: string }): void;
  /** How many people it went to. */
  chat(text: string, to?: string[]): number;
  send(data: unknown, to?: string[]): number;
  message(data: unknown, to?: string): void;
  /** One transfer for each person. */
  sendFile(file: File | Blob, how?: { to?: string[]; name?: string }): Transfer[];
  /** Looks for paths anew, as after a change of network. */
  restart(): void;
  leave(): void;

  admit(peer: string): void;
  deny(peer: string): void;
  kick(peer: string): void;
  lock(): void;
  unlock(): void;
  invite(how?: { ttl?: number }): Promise<Invite>;
}

export interface PeerEvents {
  connection: RTCPeerConnectionState;
  stream: MediaStream;
  channel: boolean;
}

/** One other person. */
export declare class Peer extends Emitter<PeerEvents> {
  private constructor();
  readonly id: string;
  readonly name: string;
  readonly role: string;
  /** Our side gives way when both make an offer. */
  readonly polite: boolean;
  /** Whether it sends media, as the server was told. */
  readonly publishing: boolean;
  /** Its sound and picture. */
  readonly remote: MediaStream | undefined;
  /** What it says of itself, once its data channel is open. */
  readonly told: { name: string; mic: boolean; camera: boolean; screen: boolean; files: boolean } | undefined;
  readonly state: RTCPeerConnectionState;
  /** Whether its data channel is open. */
  readonly open: boolean;
  /** How loud it is just now, 0 to 1. */
  readonly level: number;
  stats(): Promise<RTCStatsReport>;
  /** Looks for a path again, keeping the connection. */
  restart(): void;
}

export interface TransferEvents {
  /** Bytes so far. */
  progress: number;
  state: TransferState;
}

export type TransferState = 'offered' | 'active' | 'done' | 'cancelled' | 'declined' | 'failed';

/** One file on its way to or from one person. */
export declare class Transfer extends Emitter<TransferEvents> {
  private constructor();
  readonly peer: Peer;
  readonly direction: 'in' | 'out';
  readonly name: string;
  readonly size: number;
  readonly type: string;
  readonly state: TransferState;
  readonly over: boolean;
  readonly moved: number;
  readonly startedAt: number;
  readonly error: RelayhouseError | undefined;
  /** The file, when it came in whole. */
  readonly blob: Blob | undefined;
  /** 64 hexadecimal digits, the same on both sides. */
  readonly sha256: string | undefined;
  accept(): void;
  decline(): void;
  cancel(): void;
}

export type DeviceTrouble = 'none' | 'denied' | 'missing' | 'busy' | 'insecure' | 'failed';

export interface MediaEvents {
  changed: undefined;
  /** One was plugged in or out. */
  devices: undefined;
}

/** Our microphone, camera and screen. */
export declare class Media extends Emitter<MediaEvents> {
  readonly stream: MediaStream;
  readonly trouble: { audio: DeviceTrouble; video: DeviceTrouble; screen: DeviceTrouble };
  chosen: { audio?: string; video?: string };
  readonly mic: boolean;
  readonly camera: boolean;
  readonly screen: boolean;
  open(): Promise<void>;
  toggleMic(): Promise<void>;
  toggleCamera(): Promise<void>;
  toggleScreen(): Promise<void>;
  devices(): Promise<MediaDeviceInfo[]>;
  use(kind: 'audio' | 'video', deviceId: string): Promise<void>;
  deviceOf(kind: 'audio' | 'video'): string;
  close(): void;
}

export interface PathEnd {
  /** host, srflx, prflx or relay. */
  type: string;
  address: string;
  protocol: string;
  relayProtocol?: string;
}

export interface Path {
  local: PathEnd;
  remote: PathEnd;
  roundTripMs: number | undefined;
  sent: number;
  received: number;
  at: number;
}

/** The candidate pair that carries a connection. */
export declare function selectedPath(report: RTCStatsReport): Path | undefined;
export declare function describe(path: Path, before?: Path): { headline: string; ends: string; numbers: string };
export declare function headline(path: Pick<Path, 'local' | 'remote'>): string;
export declare function rateWords(bitsPerSecond: number): string;
export declare function sizeWords(bytes: number): string;
export declare function timeWords(ms: number): string;

/** Sends numbered messages to a person and waits for their echoes. */
export declare function probe(peer: Peer, count?: number): Promise<{ sent: number; back: number; inOrder: boolean; medianMs: number }>;

/** Words for people. */
export declare function explain(wrong: { code?: string; message?: string; status?: number; retryAfter?: number }): string;
export declare function explainNoRoom(wrong: { code?: string; message?: string; status?: number; retryAfter?: number }): string;
export declare function explainDevices(trouble: { audio: DeviceTrouble; video: DeviceTrouble }): string;
export declare function explainScreen(trouble: DeviceTrouble): string;
export declare function explainIce(error: { url?: string; code: number; text?: string }): string;
export declare function leftWords(reason?: string): string;
/** The invite in a link, or the text itself. */
export declare function inviteOf(text: string): string;

/** SHA-256 piece by piece. */
export declare class Sha256 {
  update(bytes: Uint8Array): this;
  hex(): string;
}
