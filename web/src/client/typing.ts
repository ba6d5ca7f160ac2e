import type { Connection } from "./connection.js";
import { Emitter } from "./emitter.js";

/** How often a writer says so again, and how long it is believed. */
export const REPEAT_MS = 4000;
export const EXPIRES_MS = 7000;

type Timer = ReturnType<typeof setTimeout>;

/** Who is writing where, and telling others that the user is. */
export class Typing {
  readonly events = new Emitter<{ changed: { room_id: string } }>();
  readonly #caller: Pick<Connection, "call" | "onEvent" | "online">;
  readonly #writers = new Map<string, Map<string, Timer>>();
  readonly #told = new Map<string, number>();

  constructor(caller: Pick<Connection, "call" | "onEvent" | "online">) {
    this.#caller = caller;
    caller.onEvent("typing:changed", ({ room_id, user_id, on }) => this.#heard(room_id, user_id, on));
    caller.onEvent("message:new", ({ message }) => this.#heard(message.room_id, message.sender_id, false));
  }

  in(roomId: string): string[] {
    return [...(this.#writers.get(roomId)?.keys() ?? [])];
  }

  /** The user touched the keyboard: tells the room, at most every four seconds. */
  writing(roomId: string): void {
    const now = Date.now();
    if (now - (this.#told.get(roomId) ?? 0) < REPEAT_MS) return;
    this.#told.set(roomId, now);
    this.#tell(roomId, true);
  }

  /** The user stopped, or sent the message. */
  stopped(roomId: string): void {
    if (this.#told.delete(roomId)) this.#tell(roomId, false);
  }

  #tell(roomId: string, on: boolean): void {
    // Best effort by nature: it expires by itself.
    if (this.#caller.online) this.#caller.call("typing:set", { room_id: roomId, on }).catch(() => undefined);
  }

  #heard(roomId: string, userId: string, on: boolean): void {
    const writers = this.#writers.get(roomId) ?? new Map<string, Timer>();
    const known = writers.get(userId);
    if (!on && known === undefined) return;
    clearTimeout(known);
    if (on)
      writers.set(
        userId,
        setTimeout(() => this.#heard(roomId, userId, false), EXPIRES_MS),
      );
    else writers.delete(userId);
    this.#writers.set(roomId, writers);
    this.events.emit("changed", { room_id: roomId });
  }
}
