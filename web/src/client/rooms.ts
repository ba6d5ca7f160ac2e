import { sleep } from "./backoff.js";
import type { Connection } from "./connection.js";
import { Emitter } from "./emitter.js";
import { asHomeroomError, type HomeroomError } from "./errors.js";
import {
  applyChange,
  applyHistory,
  applyListed,
  applyReceipt,
  applySnapshot,
  type Change,
  fromRoom,
  hasGap,
  type RoomState,
  unloaded,
} from "./roomState.js";
import type { ClientEvents, Message, Room, RoomOpen, ServerEvents, SnapshotAck } from "./types.gen.js";

export interface RoomEvents {
  /** Something about one room is different now. */
  changed: { room_id: string };
  /** A message came in live. */
  message: { message: Message };
  /** A room's state was read from the server. */
  synced: SnapshotAck;
  removed: { room_id: string; reason: string };
  members: ServerEvents["room:member_changed"];
  /** The list was read anew. */
  listed: Record<string, never>;
}

type Caller = Pick<Connection, "call" | "onEvent" | "online">;

const LIST_PAGE = 100;
/** The most that `message:history` gives. */
const HISTORY_PAGE = 100;
/** Rooms whose messages are kept and synced after a reconnect; the least recently opened beyond it are let go. */
const KEPT_ROOMS = 16;
const PARALLEL_SYNCS = 3;
const ATTEMPTS = 5;

/** All rooms of the user: the list, and the messages of those that were opened. */
export class Rooms {
  readonly events = new Emitter<RoomEvents>();
  readonly #rooms = new Map<string, RoomState>();
  readonly #opened: string[] = [];
  readonly #syncs = new Map<string, Promise<void>>();
  readonly #paging = new Set<string>();
  readonly #learning = new Set<string>();
  readonly #caller: Caller;
  readonly #fetchRoom: (roomId: string) => Promise<Room>;
  readonly #me: () => string;
  #listed = false;

  constructor(caller: Caller, fetchRoom: (roomId: string) => Promise<Room>, me: () => string) {
    this.#caller = caller;
    this.#fetchRoom = fetchRoom;
    this.#me = me;
    caller.onEvent("message:new", ({ message }) => this.#live({ kind: "new", message }));
    caller.onEvent("message:updated", ({ message }) => this.#live({ kind: "updated", message }));
    caller.onEvent("room:changed", ({ room }) => this.#roomTold(room));
    caller.onEvent("receipt:changed", ({ receipt }) =>
      this.#update(receipt.room_id, (state) => applyReceipt(state, receipt, this.#me())),
    );
    caller.onEvent("room:removed", ({ room_id, reason }) => this.#remove(room_id, reason));
    caller.onEvent("room:member_changed", (change) => this.#memberChanged(change));
    caller.onEvent("sync:required", ({ room_id }) => void this.#syncRequired(room_id));
  }

  /** Whether the list was read at least once. */
  get listed(): boolean {
    return this.#listed;
  }

  get(roomId: string): RoomState | undefined {
    return this.#rooms.get(roomId);
  }

  /** All rooms, newest activity first. */
  list(): RoomState[] {
    const at = ({ room }: RoomState) => room.last_message?.created_at ?? room.created_at;
    return [...this.#rooms.values()].sort((a, b) => (at(a) < at(b) ? 1 : at(a) > at(b) ? -1 : 0));
  }

  /** Read the list and bring every opened room up to date; done after each connect. */
  async refresh(): Promise<void> {
    const seen = new Set<string>();
    let cursor: string | undefined;
    do {
      const page = await this.#call("room:list", { limit: LIST_PAGE, ...(cursor ? { cursor } : {}) });
      for (const room of page.rooms) {
        seen.add(room.id);
        this.#put(room);
      }
      cursor = page.next_cursor;
    } while (cursor);
    for (const id of [...this.#rooms.keys()]) if (!seen.has(id) && !this.#opened.includes(id)) this.#drop(id);
    this.#listed = true;
    this.events.emit("listed", {});
    await this.#syncOpened();
  }

  /** Become live in a room and have its newest messages. Safe to call again. Throws `room.not_found`. */
  async open(roomId: string): Promise<void> {
    const at = this.#opened.indexOf(roomId);
    if (at >= 0) this.#opened.splice(at, 1);
    this.#opened.push(roomId);
    while (this.#opened.length > KEPT_ROOMS) this.#letGo(this.#opened.shift());
    if (!this.get(roomId)?.loaded) await this.sync(roomId);
  }

  /** Catch up with a room. Calls that overlap share one request. */
  sync(roomId: string): Promise<void> {
    const running = this.#syncs.get(roomId) ?? this.#sync(roomId).finally(() => this.#syncs.delete(roomId));
    this.#syncs.set(roomId, running);
    return running;
  }

  /** Read one more page of older messages. Returns whether there was something to read. */
  async loadOlder(roomId: string): Promise<boolean> {
    const state = this.get(roomId);
    const first = state?.messages[0];
    if (!state?.loaded || !state.hasOlder || !first || this.#paging.has(roomId)) return false;
    this.#paging.add(roomId);
    try {
      const page = await this.#call("message:history", {
        room_id: roomId,
        before_seq: first.seq,
        limit: HISTORY_PAGE,
      });
      this.#update(roomId, (now) =>
        now.messages[0]?.seq === first.seq ? applyHistory(now, page.messages, page.has_more) : now,
      );
      return true;
    } finally {
      this.#paging.delete(roomId);
    }
  }

  /** Open a direct room, or make a new room. */
  async create(request: RoomOpen): Promise<string> {
    const { room } = await this.#caller.call("room:open", request);
    this.#put(room);
    return room.id;
  }

  /** Take in the user's own watermarks at once, before the server has confirmed them. */
  markedOwn(roomId: string, read_seq: number, delivered_seq: number): void {
    const own = { room_id: roomId, user_id: this.#me(), read_seq, delivered_seq };
    this.#update(roomId, (state) => applyReceipt(state, own, this.#me()));
  }

  #live(change: Exclude<Change, { kind: "room" }>): void {
    const { message } = change;
    if (this.#rooms.has(message.room_id)) this.#applied(message.room_id, change);
    else void this.#learn(message.room_id);
    if (change.kind === "new") this.events.emit("message", { message });
  }

  #roomTold(room: Room): void {
    if (this.#rooms.has(room.id)) this.#applied(room.id, { kind: "room", room });
    else if (room.me) this.#put(room);
    else void this.#learn(room.id);
  }

  #applied(roomId: string, change: Change): void {
    this.#update(roomId, (state) => applyChange(state, change, this.#me()));
    const state = this.get(roomId);
    if (state && hasGap(state)) void this.sync(roomId).catch(() => undefined);
  }

  /** Hear of a room that is new to us as it is for this user, which what is told to everybody does not say. */
  async #learn(roomId: string): Promise<void> {
    if (this.#learning.has(roomId)) return;
    this.#learning.add(roomId);
    try {
      this.#put(await this.#fetchRoom(roomId));
    } catch {
      // Not for this user, or the connection is gone: the list tells after the next connect.
    } finally {
      this.#learning.delete(roomId);
    }
  }

  async #sync(roomId: string): Promise<void> {
    try {
      do {
        this.#update(roomId, (state) => ({ ...state, syncing: true }));
        const known = this.get(roomId);
        const since = known?.loaded ? { since_rev: known.rev } : {};
        // A join is a sync that also makes live, which session and announcement rooms need.
        const snapshot = await this.#call("room:join", { room_id: roomId, ...since });
        const state = this.get(roomId) ?? fromRoom(snapshot.room, this.#me());
        this.#set(roomId, applySnapshot(state, snapshot, this.#me()));
        this.events.emit("synced", snapshot);
      } while (this.#stillBehind(roomId));
    } catch (cause) {
      this.#update(roomId, (state) => ({ ...state, syncing: false }));
      const error = asHomeroomError(cause);
      if (error.code === "room.not_found") this.#remove(roomId, "not_found");
      throw error;
    }
  }

  #stillBehind(roomId: string): boolean {
    const state = this.get(roomId);
    return state !== undefined && hasGap(state);
  }

  async #syncOpened(): Promise<void> {
    // The one on the screen first.
    const waiting = [...this.#opened].reverse();
    const worker = async () => {
      for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
        await this.sync(id).catch(() => undefined);
      }
    };
    await Promise.all(Array.from({ length: PARALLEL_SYNCS }, worker));
  }

  async #syncRequired(roomId: string | undefined): Promise<void> {
    try {
      if (roomId === undefined) await this.refresh();
      else if (this.get(roomId)?.loaded) await this.sync(roomId);
      else await this.#learn(roomId);
    } catch {
      // The connection is gone; everything is read anew after the next connect.
    }
  }

  #memberChanged(change: ServerEvents["room:member_changed"]): void {
    const { room_id, user_id, role } = change;
    if (user_id === this.#me() && role) {
      this.#update(room_id, (state) => {
        const { me } = state.room;
        return me ? { ...state, room: { ...state.room, me: { ...me, role } } } : state;
      });
    }
    this.events.emit("members", change);
  }

  /** For calls that only read: tries again while the server asks for patience. */
  async #call<Name extends keyof ClientEvents>(
    name: Name,
    payload: ClientEvents[Name]["payload"],
  ): Promise<ClientEvents[Name]["data"]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#caller.call(name, payload);
      } catch (cause) {
        const error: HomeroomError = asHomeroomError(cause);
        if (!error.retryable || !this.#caller.online || attempt === ATTEMPTS) throw error;
        await sleep(error.retryAfterMs ?? 300 * attempt);
      }
    }
  }

  #put(room: Room): void {
    const known = this.get(room.id);
    this.#set(room.id, known ? applyListed(known, room, this.#me()) : fromRoom(room, this.#me()));
  }

  #letGo(roomId: string | undefined): void {
    if (roomId !== undefined) this.#update(roomId, (state) => unloaded(state, this.#me()));
  }

  #remove(roomId: string, reason: string): void {
    const at = this.#opened.indexOf(roomId);
    if (at >= 0) this.#opened.splice(at, 1);
    this.#drop(roomId);
    this.events.emit("removed", { room_id: roomId, reason });
  }

  #drop(roomId: string): void {
    if (this.#rooms.delete(roomId)) this.events.emit("changed", { room_id: roomId });
  }

  #update(roomId: string, change: (state: RoomState) => RoomState): void {
    const state = this.get(roomId);
    if (state) this.#set(roomId, change(state));
  }

  #set(roomId: string, state: RoomState): void {
    if (this.#rooms.get(roomId) === state) return;
    this.#rooms.set(roomId, state);
    this.events.emit("changed", { room_id: roomId });
  }
}
