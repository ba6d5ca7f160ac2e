import type { Connection } from "./connection.js";
import { Emitter } from "./emitter.js";
import type { Presence, PresenceSet } from "./types.gen.js";

const WATCHED = 200;

/** Who is there. What was not asked for and not told is unknown. */
export class PresenceBook {
  readonly events = new Emitter<{ changed: { user_id: string } }>();
  readonly #caller: Pick<Connection, "call" | "onEvent" | "online">;
  readonly #known = new Map<string, Presence>();
  /** In the order of asking: the oldest make room for new ones. */
  readonly #watched = new Set<string>();
  #own: PresenceSet["status"] = "online";

  constructor(caller: Pick<Connection, "call" | "onEvent" | "online">) {
    this.#caller = caller;
    caller.onEvent("presence:changed", ({ presence }) => this.take([presence]));
  }

  of(userId: string): Presence | undefined {
    return this.#known.get(userId);
  }

  /** The status that this connection asked for. */
  get own(): PresenceSet["status"] {
    return this.#own;
  }

  set(status: PresenceSet["status"]): void {
    this.#own = status;
    this.#tellOwn();
  }

  /** Hear of these people's presence from now on, across reconnects. */
  watch(userIds: readonly string[]): void {
    const fresh = userIds.filter((id) => !this.#watched.has(id));
    if (fresh.length === 0) return;
    for (const id of fresh) this.#watched.add(id);
    const dropped = [...this.#watched].slice(0, Math.max(0, this.#watched.size - WATCHED));
    for (const id of dropped) this.#watched.delete(id);
    if (!this.#caller.online) return;
    if (dropped.length > 0)
      this.#caller.call("presence:unwatch", { user_ids: dropped }).catch(() => undefined);
    this.#ask(fresh);
  }

  /** After a connect: say and ask again what the last connection knew. */
  restore(): void {
    if (this.#own !== "online") this.#tellOwn();
    if (this.#watched.size > 0) this.#ask([...this.#watched]);
  }

  take(presences: readonly Presence[]): void {
    for (const presence of presences) {
      this.#known.set(presence.user_id, presence);
      this.events.emit("changed", { user_id: presence.user_id });
    }
  }

  #ask(userIds: string[]): void {
    this.#caller.call("presence:watch", { user_ids: userIds.slice(0, WATCHED) }).then(
      ({ presence }) => this.take(presence),
      () => undefined,
    );
  }

  #tellOwn(): void {
    if (!this.#caller.online) return;
    this.#caller.call("presence:set", { status: this.#own }).then(
      ({ presence }) => this.take([presence]),
      () => undefined,
    );
  }
}
