import { sleep } from "./backoff.js";
import { asHomeroomError } from "./errors.js";
import { problem, type Session } from "./session.js";
import type { Me, Room, User } from "./types.gen.js";

export interface RoomMember {
  readonly user_id: string;
  readonly user?: User;
  readonly role: Me["role"];
  readonly read_seq: number;
  readonly delivered_seq: number;
}

const ATTEMPTS = 3;

/** The HTTP part of the contract that a chat needs. Every method throws HomeroomError. */
export class Http {
  readonly #url: string;
  readonly #session: Session;
  readonly #fetch: typeof fetch;

  constructor(url: string, session: Session, fetcher: typeof fetch = (...args) => fetch(...args)) {
    this.#url = url;
    this.#session = session;
    this.#fetch = fetcher;
  }

  async searchUsers(query: string, cursor?: string): Promise<{ users: User[]; next_cursor?: string }> {
    return this.#get("/v1/users", { query, ...(cursor ? { cursor } : {}) });
  }

  async usersById(ids: readonly string[]): Promise<User[]> {
    return (await this.#get<{ users: User[] }>("/v1/users", { ids: ids.join(",") })).users;
  }

  async room(roomId: string): Promise<Room> {
    return (await this.#get<{ room: Room }>(`/v1/rooms/${encodeURIComponent(roomId)}`)).room;
  }

  async members(roomId: string, cursor?: string): Promise<{ members: RoomMember[]; next_cursor?: string }> {
    return this.#get(`/v1/rooms/${encodeURIComponent(roomId)}/members`, cursor ? { cursor } : {});
  }

  /** End this sign-in on the server. */
  async revoke(refreshToken: string): Promise<void> {
    await this.#send("/v1/auth/revoke", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ refresh_token: refreshToken }),
    });
  }

  async #get<T>(path: string, query: Record<string, string> = {}): Promise<T> {
    const search = new URLSearchParams(query).toString();
    const response = await this.#send(search ? `${path}?${search}` : path, {});
    return (await response.json()) as T;
  }

  async #send(path: string, init: RequestInit): Promise<Response> {
    for (let attempt = 1; ; attempt++) {
      const token = await this.#session.ensure();
      const headers = {
        ...(init.headers as Record<string, string> | undefined),
        Authorization: `Bearer ${token}`,
      };
      const response = await this.#fetch(this.#url + path, { ...init, headers }).catch((cause: unknown) => {
        throw asHomeroomError(cause);
      });
      if (response.ok) return response;
      const error = await problem(response);
      if (attempt === ATTEMPTS) throw error;
      if (error.code === "auth.expired_token") await this.#session.renew();
      else if (error.retryable && (error.retryAfterMs ?? 0) <= 5000) await sleep(error.retryAfterMs ?? 500);
      else throw error;
    }
  }
}
