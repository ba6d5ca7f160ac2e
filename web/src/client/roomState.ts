import type { Message, Receipt, Room, SnapshotAck } from "./types.gen.js";

/** One step of a room's history; each raises `rev` by one. */
export type Change =
  | { readonly kind: "new" | "updated"; readonly message: Message }
  | { readonly kind: "room"; readonly room: Room };

/**
 * What is known of one room. Values are never changed in place.
 *
 * While `loaded`, `messages` has no hole from its first entry to the room's end as of `rev`.
 */
export interface RoomState {
  readonly room: Room;
  /** Every change up to this one is in here. */
  readonly rev: number;
  readonly loaded: boolean;
  /** A snapshot is being read: changes that come meanwhile are held. */
  readonly syncing: boolean;
  readonly messages: readonly Message[];
  readonly hasOlder: boolean;
  readonly receipts: Readonly<Record<string, Receipt>>;
  /** Changes beyond a hole, in no order. */
  readonly held: readonly Change[];
  /** Changed messages older than `messages`, so that a page of history read before the change cannot hide it. */
  readonly older: Readonly<Record<number, Message>>;
  /** The newest message that names the user. */
  readonly mentionSeq: number;
}

export function fromRoom(room: Room, me: string): RoomState {
  const state: RoomState = {
    room,
    rev: room.rev,
    loaded: false,
    syncing: false,
    messages: [],
    hasOlder: false,
    receipts: {},
    held: [],
    older: {},
    mentionSeq: 0,
  };
  return room.last_message ? noted(state, room.last_message, me) : state;
}

export function revOf(change: Change): number {
  return change.kind === "room" ? change.room.rev : change.message.rev;
}

export function unreadOf({ room }: RoomState): number {
  return room.me ? Math.max(0, room.last_seq - room.me.read_seq) : 0;
}

export function isMentioned(state: RoomState): boolean {
  return unreadOf(state) > 0 && state.mentionSeq > (state.room.me?.read_seq ?? 0);
}

/** Whether changes are missing that only the server can tell. */
export function hasGap(state: RoomState): boolean {
  return state.loaded && !state.syncing && state.held.length > 0;
}

/** Take in one live change. One that is known already changes nothing; one beyond a hole is held (see `hasGap`). */
export function applyChange(state: RoomState, change: Change, me: string): RoomState {
  const rev = revOf(change);
  if (rev <= state.rev) return state;
  if (!state.loaded) {
    // Nothing but the list is shown of this room, and that the newest change alone can tell.
    return state.syncing
      ? { ...applied(state, change, me), rev: state.rev, held: [...state.held, change] }
      : applied(state, change, me);
  }
  if (state.syncing || rev > state.rev + 1) return { ...state, held: [...state.held, change] };
  return released(applied(state, change, me), me);
}

/** Take in what `room:join` or `room:sync` answered. */
export function applySnapshot(state: RoomState, snapshot: SnapshotAck, me: string): RoomState {
  const replaced = snapshot.reset || !state.loaded;
  let next: RoomState = {
    ...state,
    room: mergedRoom(state.room, snapshot.room),
    rev: Math.max(snapshot.rev, replaced ? 0 : state.rev),
    loaded: true,
    syncing: false,
    messages: replaced ? [] : state.messages,
    older: replaced ? {} : state.older,
    receipts: { ...state.receipts },
  };
  for (const message of snapshot.messages) next = noted(placed(next, message, replaced), message, me);
  if (replaced) next = { ...next, hasOlder: (next.messages[0]?.seq ?? 1) > 1 };
  for (const receipt of snapshot.receipts) next = applyReceipt(next, receipt, me);
  return released(next, me);
}

/** Raise a member's watermarks; they never move back. */
export function applyReceipt(state: RoomState, receipt: Receipt, me: string): RoomState {
  const { user_id, read_seq, delivered_seq } = receipt;
  const known = state.receipts[user_id];
  const next = {
    ...receipt,
    read_seq: Math.max(read_seq, known?.read_seq ?? 0),
    delivered_seq: Math.max(delivered_seq, read_seq, known?.delivered_seq ?? 0),
  };
  const changed = known?.read_seq !== next.read_seq || known.delivered_seq !== next.delivered_seq;
  const receipts = changed ? { ...state.receipts, [user_id]: next } : state.receipts;
  const room = user_id === me ? withOwnMarks(state.room, next) : state.room;
  return changed || room !== state.room ? { ...state, receipts, room } : state;
}

/** Put a page of older messages in front. */
export function applyHistory(state: RoomState, page: readonly Message[], hasMore: boolean): RoomState {
  const first = state.messages[0]?.seq ?? Infinity;
  const fresh = page
    .filter((message) => message.seq < first)
    .map((message) => newer(message, state.older[message.seq]));
  const from = fresh[0]?.seq ?? first;
  const older = Object.fromEntries(Object.entries(state.older).filter(([seq]) => Number(seq) < from));
  return { ...state, messages: [...fresh, ...state.messages], hasOlder: hasMore, older };
}

/** Take in the room as `room:list` tells it, without touching what was synced. */
export function applyListed(state: RoomState, room: Room, me: string): RoomState {
  const merged = { ...state, room: mergedRoom(state.room, room) };
  const next = room.last_message ? noted(merged, room.last_message, me) : merged;
  return state.loaded ? next : { ...next, rev: Math.max(state.rev, room.rev) };
}

/** Forget the messages, keeping what the list shows. */
export function unloaded(state: RoomState, me: string): RoomState {
  return { ...fromRoom(state.room, me), rev: state.rev, mentionSeq: state.mentionSeq };
}

function released(state: RoomState, me: string): RoomState {
  let next: RoomState = { ...state, held: [] };
  const held = [...state.held].sort((a, b) => revOf(a) - revOf(b));
  for (const change of held) {
    if (revOf(change) <= next.rev) continue;
    if (revOf(change) > next.rev + 1) next = { ...next, held: [...next.held, change] };
    else next = applied(next, change, me);
  }
  return next;
}

function applied(state: RoomState, change: Change, me: string): RoomState {
  if (change.kind === "room") {
    return { ...state, rev: change.room.rev, room: mergedRoom(state.room, change.room) };
  }
  const next = noted({ ...state, rev: change.message.rev }, change.message, me);
  return state.loaded ? placed(next, change.message, change.kind === "new") : next;
}

/** Put a message in its place. One older than the first is only remembered, unless it may extend the window. */
function placed(state: RoomState, message: Message, extend: boolean): RoomState {
  const { messages } = state;
  const first = messages[0]?.seq;
  const last = messages.at(-1)?.seq ?? 0;
  if (message.seq > last) return { ...state, messages: [...messages, message] };
  if (first !== undefined && message.seq < first && !extend) {
    return { ...state, older: { ...state.older, [message.seq]: message } };
  }
  const at = messages.findIndex((known) => known.seq >= message.seq);
  const known = messages[at];
  if (known?.seq === message.seq) return { ...state, messages: messages.with(at, newer(known, message)) };
  return { ...state, messages: messages.toSpliced(at, 0, message) };
}

/** What a message tells about the room: its end, its sender's watermarks, a mention. */
function noted(state: RoomState, message: Message, me: string): RoomState {
  const { room } = state;
  const last = room.last_message;
  const isLast = !last || message.seq > last.seq || (message.seq === last.seq && message.rev >= last.rev);
  const next = {
    ...state,
    mentionSeq: message.mentions.includes(me) ? Math.max(state.mentionSeq, message.seq) : state.mentionSeq,
    room: {
      ...room,
      rev: Math.max(room.rev, message.rev),
      last_seq: Math.max(room.last_seq, message.seq),
      ...(isLast ? { last_message: message } : {}),
    },
  };
  const { room_id, sender_id, seq } = message;
  return applyReceipt(next, { room_id, user_id: sender_id, read_seq: seq, delivered_seq: seq }, me);
}

function newer(a: Message, b: Message | undefined): Message {
  return b && b.rev >= a.rev ? b : a;
}

/** A room told to everybody lacks what is one person's own (`me`, `peer`, a direct room's title). */
function mergedRoom(known: Room, told: Room): Room {
  const isNewer = told.rev >= known.rev;
  const base = isNewer ? { ...known, ...told } : { ...told, ...known };
  const last = [known.last_message, told.last_message].filter((message) => message !== undefined);
  const last_message = last.sort((a, b) => b.seq - a.seq || b.rev - a.rev)[0];
  const room: Room = { ...base, last_seq: Math.max(known.last_seq, told.last_seq) };
  if (last_message) room.last_message = last_message;
  if (known.peer && !told.peer) Object.assign(room, { peer: known.peer, title: known.title });
  if (!told.me || !known.me) return room;
  return withOwnMarks({ ...room, me: told.me }, known.me);
}

function withOwnMarks(room: Room, marks: { read_seq: number; delivered_seq: number }): Room {
  if (!room.me) return room;
  const read_seq = Math.max(room.me.read_seq, marks.read_seq);
  const delivered_seq = Math.max(room.me.delivered_seq, marks.delivered_seq, read_seq);
  if (read_seq === room.me.read_seq && delivered_seq === room.me.delivered_seq) return room;
  return { ...room, me: { ...room.me, read_seq, delivered_seq } };
}
