import { sleep } from "./backoff.js";
import type { Connection } from "./connection.js";
import { Emitter } from "./emitter.js";
import { asHomeroomError, type HomeroomError } from "./errors.js";
import { newId } from "./ids.js";
import type { KeyValue } from "./ports.js";
import type { Message } from "./types.gen.js";

export interface Draft {
  readonly room_id: string;
  readonly body: string;
  readonly reply_to?: string;
  readonly mentions?: string[];
}

/** A message on its way. `stored` ones are kept until the room shows them, so that they never blink out. */
export interface Outgoing extends Draft {
  readonly client_id: string;
  readonly queued_at: number;
  readonly state: "sending" | "stored" | "failed";
  readonly error?: string;
  /** Of a stored one. */
  readonly seq?: number;
}

/** Longer waits than this (a mute, say) are told to the user instead of being waited for. */
const LONGEST_WAIT_MS = 60_000;
const RETRY_MS = 1000;

/** Whether to try the same message again by itself after this error. */
export function isTransient(error: HomeroomError): boolean {
  return error.retryable && (error.retryAfterMs ?? 0) <= LONGEST_WAIT_MS;
}

/**
 * Messages on their way to the server, in order within each room.
 *
 * Every entry is in storage under a key of its own from before it is first sent until it is acknowledged, so tabs of
 * one person do not overwrite each other's, and a reload loses nothing. Two tabs may send the same entry: the server
 * stores a `client_id` once.
 */
export class Outbox {
  readonly events = new Emitter<{ changed: { room_id: string } }>();
  readonly #entries = new Map<string, Outgoing>();
  readonly #unsaved = new Set<string>();
  readonly #sending = new Set<string>();
  readonly #caller: Pick<Connection, "call" | "online">;
  readonly #storage: KeyValue;
  readonly #prefix: string;
  #lastQueued = 0;

  constructor(caller: Pick<Connection, "call" | "online">, storage: KeyValue, userId: string) {
    this.#caller = caller;
    this.#storage = storage;
    this.#prefix = `homeroom.outbox.${userId}/`;
    this.#load();
  }

  /** Messages of a room that it does not show yet, in the order they were written. */
  of(roomId: string): Outgoing[] {
    const entries = [...this.#entries.values()].filter((entry) => entry.room_id === roomId);
    return entries.sort((a, b) => a.queued_at - b.queued_at);
  }

  /** How many wait for the server. */
  get waiting(): number {
    return [...this.#entries.values()].filter((entry) => entry.state === "sending").length;
  }

  /** Queue a message and return its `client_id`. It is on disk before this returns. */
  send(draft: Draft): string {
    // Two messages of one millisecond keep their order.
    this.#lastQueued = Math.max(Date.now(), this.#lastQueued + 1);
    const entry: Outgoing = { ...draft, client_id: newId(), queued_at: this.#lastQueued, state: "sending" };
    this.#save(entry);
    this.flush(entry.room_id);
    return entry.client_id;
  }

  /** Try a failed message again. */
  retry(clientId: string): void {
    const entry = this.#entries.get(clientId);
    if (entry?.state !== "failed") return;
    const { error: _error, ...rest } = entry;
    this.#save({ ...rest, state: "sending" });
    this.flush(entry.room_id);
  }

  /** Give a failed message up. */
  discard(clientId: string): void {
    this.#remove(clientId);
  }

  /** The room shows these messages now, and has everything up to `lastSeq`: their entries are done. */
  settle(roomId: string, shown: readonly Message[], lastSeq: number): void {
    const ids = new Set(shown.map((message) => message.client_id));
    for (const { client_id, seq } of this.of(roomId)) {
      if (ids.has(client_id) || (seq !== undefined && seq <= lastSeq)) this.#remove(client_id);
    }
  }

  /** Send what waits, in one room or in all. */
  flush(roomId?: string): void {
    const rooms =
      roomId === undefined ? new Set([...this.#entries.values()].map((e) => e.room_id)) : [roomId];
    for (const id of rooms) void this.#drain(id);
  }

  async #drain(roomId: string): Promise<void> {
    if (this.#sending.has(roomId)) return;
    this.#sending.add(roomId);
    try {
      for (let head = this.#head(roomId); head && this.#caller.online; head = this.#head(roomId)) {
        await this.#attempt(head);
      }
    } finally {
      this.#sending.delete(roomId);
    }
  }

  #head(roomId: string): Outgoing | undefined {
    for (const entry of this.of(roomId)) {
      if (entry.state !== "sending") continue;
      if (this.#isStillWanted(entry)) return entry;
      this.#remove(entry.client_id);
    }
    return undefined;
  }

  /** Another tab may have sent or discarded it: then it is gone from storage. */
  #isStillWanted({ client_id }: Outgoing): boolean {
    return this.#unsaved.has(client_id) || this.#storage.getItem(this.#prefix + client_id) !== null;
  }

  async #attempt(entry: Outgoing): Promise<void> {
    const { client_id, room_id, body, reply_to, mentions } = entry;
    try {
      const { message } = await this.#caller.call("message:send", {
        room_id,
        client_id,
        body,
        ...(reply_to ? { reply_to } : {}),
        ...(mentions?.length ? { mentions } : {}),
      });
      this.#acknowledged(client_id, message.seq);
    } catch (cause) {
      const error = asHomeroomError(cause);
      if (!isTransient(error)) this.#fail(client_id, error.code);
      else if (this.#caller.online) await sleep(error.retryAfterMs ?? RETRY_MS);
    }
  }

  #acknowledged(clientId: string, seq: number): void {
    const entry = this.#entries.get(clientId);
    this.#forget(clientId);
    if (!entry) return;
    this.#entries.set(clientId, { ...entry, state: "stored", seq });
    this.events.emit("changed", { room_id: entry.room_id });
  }

  #fail(clientId: string, error: string): void {
    const entry = this.#entries.get(clientId);
    if (entry) this.#save({ ...entry, state: "failed", error });
  }

  #save(entry: Outgoing): void {
    this.#entries.set(entry.client_id, entry);
    try {
      this.#storage.setItem(this.#prefix + entry.client_id, JSON.stringify(entry));
    } catch {
      // Storage is full or forbidden: the message still goes out as long as this page is open.
      this.#unsaved.add(entry.client_id);
    }
    this.events.emit("changed", { room_id: entry.room_id });
  }

  #remove(clientId: string): void {
    const entry = this.#entries.get(clientId);
    if (!entry) return;
    this.#entries.delete(clientId);
    this.#forget(clientId);
    this.events.emit("changed", { room_id: entry.room_id });
  }

  #forget(clientId: string): void {
    this.#unsaved.delete(clientId);
    this.#storage.removeItem(this.#prefix + clientId);
  }

  #load(): void {
    const keys = Array.from({ length: this.#storage.length }, (_, i) => this.#storage.key(i) ?? "");
    for (const key of keys.filter((each) => each.startsWith(this.#prefix))) {
      const entry = parsed(this.#storage.getItem(key));
      if (entry) this.#entries.set(entry.client_id, entry);
      else this.#storage.removeItem(key);
    }
  }
}

function parsed(text: string | null): Outgoing | null {
  try {
    return JSON.parse(text ?? "") as Outgoing;
  } catch {
    return null;
  }
}
