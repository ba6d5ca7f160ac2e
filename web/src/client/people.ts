import { Emitter } from "./emitter.js";
import { asHomeroomError } from "./errors.js";
import type { Http } from "./http.js";
import type { User } from "./types.gen.js";

const BATCH = 100;
const GATHER_MS = 20;

/** Names of people, read in batches when first asked for. */
export class People {
  readonly events = new Emitter<{ changed: { user_ids: string[] } }>();
  readonly #http: Pick<Http, "usersById">;
  readonly #known = new Map<string, User>();
  readonly #asked = new Set<string>();
  #wanted: string[] = [];

  constructor(http: Pick<Http, "usersById">) {
    this.#http = http;
  }

  /** The person, if known by now; otherwise asks, and `changed` tells when. */
  get(userId: string): User | undefined {
    const user = this.#known.get(userId);
    if (!user && !this.#asked.has(userId)) this.#want(userId);
    return user;
  }

  learn(users: readonly User[]): void {
    const fresh = users.filter((user) => this.#known.get(user.id)?.name !== user.name);
    for (const user of users) this.#known.set(user.id, user);
    if (fresh.length > 0) this.events.emit("changed", { user_ids: fresh.map((user) => user.id) });
  }

  #want(userId: string): void {
    this.#asked.add(userId);
    this.#wanted.push(userId);
    if (this.#wanted.length === 1) setTimeout(() => void this.#fetch(), GATHER_MS);
  }

  async #fetch(): Promise<void> {
    const ids = this.#wanted;
    this.#wanted = [];
    for (let i = 0; i < ids.length; i += BATCH) {
      const batch = ids.slice(i, i + BATCH);
      try {
        this.learn(await this.#http.usersById(batch));
      } catch (cause) {
        if (asHomeroomError(cause).retryable) for (const id of batch) this.#asked.delete(id);
      }
    }
  }
}
