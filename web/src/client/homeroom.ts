import { Connection, type Status } from "./connection.js";
import { Emitter } from "./emitter.js";
import { Http } from "./http.js";
import { Outbox } from "./outbox.js";
import { People } from "./people.js";
import { type Credentials, type KeyValue, memoryStorage, memoryVault, type Vault } from "./ports.js";
import { PresenceBook } from "./presence.js";
import { ReceiptMarks } from "./receipts.js";
import { Rooms } from "./rooms.js";
import { Session } from "./session.js";
import { Typing } from "./typing.js";
import type { Message, Ready } from "./types.gen.js";

export interface HomeroomOptions {
  /** Where the server is, as in `https://chat.example.school`; empty for the page's own origin. */
  readonly url: string;
  readonly credentials: Credentials;
  /** Where credentials are kept and shared; default: in memory. */
  readonly vault?: Vault;
  /** Where messages wait to be sent; default: in memory. */
  readonly storage?: KeyValue;
  readonly transports?: ("websocket" | "polling")[];
  readonly fetch?: typeof fetch;
}

export interface HomeroomEvents {
  status: Status;
  ready: Ready;
}

/** One signed-in person's live view of the school. */
export class Homeroom {
  readonly events = new Emitter<HomeroomEvents>();
  readonly session: Session;
  readonly http: Http;
  readonly connection: Connection;
  readonly rooms: Rooms;
  readonly outbox: Outbox;
  readonly typing: Typing;
  readonly presence: PresenceBook;
  readonly people: People;
  readonly userId: string;
  readonly #marks: ReceiptMarks;
  #isGuest = false;

  constructor(options: HomeroomOptions) {
    const { url, credentials, storage = memoryStorage(), transports } = options;
    const vault = options.vault ?? memoryVault(credentials);
    const fetcher = options.fetch ?? ((...args: Parameters<typeof fetch>) => fetch(...args));
    this.session = new Session({ url, credentials, vault, fetch: fetcher });
    this.userId = this.session.userId;
    this.http = new Http(url, this.session, fetcher);
    this.connection = new Connection({ url, session: this.session, ...(transports ? { transports } : {}) });
    this.rooms = new Rooms(
      this.connection,
      (roomId) => this.http.room(roomId),
      () => this.userId,
    );
    this.outbox = new Outbox(this.connection, storage, this.userId);
    this.typing = new Typing(this.connection);
    this.presence = new PresenceBook(this.connection);
    this.people = new People(this.http);
    this.#marks = new ReceiptMarks(this.connection, (...marks) => this.rooms.markedOwn(...marks));
    this.#wire();
  }

  start(): void {
    this.connection.start();
  }

  stop(): void {
    this.connection.stop();
  }

  /** Mark everything up to `seq` as read by the user. */
  markRead(roomId: string, seq: number): void {
    const me = this.rooms.get(roomId)?.room.me;
    if (me && me.read_seq < seq) this.#marks.read(roomId, seq);
  }

  async edit(message: Message, body: string): Promise<void> {
    await this.connection.call("message:edit", { message_id: message.id, body });
  }

  async delete(message: Message): Promise<void> {
    await this.connection.call("message:delete", { message_id: message.id });
  }

  async react(message: Message, emoji: string, on: boolean): Promise<void> {
    await this.connection.call("message:react", { message_id: message.id, emoji, on });
  }

  /** End this sign-in, here and on the server. */
  async signOut(): Promise<void> {
    this.stop();
    const refreshToken = await this.session.forget();
    if (refreshToken) await this.http.revoke(refreshToken).catch(() => undefined);
  }

  #wire(): void {
    this.connection.status.on("changed", (status) => this.events.emit("status", status));
    this.connection.onEvent("ready", (ready) => {
      this.people.learn([ready.user]);
      this.#isGuest = ready.user.role === "viewer";
      this.events.emit("ready", ready);
      void this.#catchUp();
    });
    this.rooms.events.on("message", ({ message }) => this.#heard(message));
    this.rooms.events.on("changed", ({ room_id }) => this.#settle(room_id));
    this.rooms.events.on("synced", ({ room, presence }) => {
      this.presence.take(presence);
      if (room.peer) this.presence.watch([room.peer.id]);
      if (this.#isGuest) void this.#learnMembers(room.id);
    });
    this.rooms.events.on("listed", () => this.#reached());
  }

  async #catchUp(): Promise<void> {
    this.outbox.flush();
    this.presence.restore();
    this.#marks.flush();
    try {
      await this.rooms.refresh();
    } catch {
      // The connection is gone again; the next one starts over.
    }
  }

  /** Guests may not look people up, only see who is in a room with them. */
  async #learnMembers(roomId: string): Promise<void> {
    try {
      const { members } = await this.http.members(roomId);
      this.people.learn(members.flatMap(({ user }) => (user ? [user] : [])));
    } catch {
      // Names stay unknown until the room is synced again.
    }
  }

  #heard(message: Message): void {
    if (message.sender_id !== this.userId) this.#marks.delivered(message.room_id, message.seq);
  }

  /** What the list shows has reached this device. */
  #reached(): void {
    const rooms = this.rooms.list().map(({ room }) => room);
    this.people.learn(rooms.flatMap(({ peer }) => (peer ? [peer] : [])));
    this.presence.watch(rooms.flatMap(({ peer }) => (peer ? [peer.id] : [])).slice(0, 100));
    for (const { id, me, last_seq } of rooms) {
      if (me && me.delivered_seq < last_seq) this.#marks.delivered(id, last_seq);
    }
  }

  /** Entries of the outbox whose message the room shows by now are done. */
  #settle(roomId: string): void {
    const state = this.rooms.get(roomId);
    if (!state || this.outbox.of(roomId).length === 0) return;
    const shown = state.loaded ? state.messages : state.room.last_message ? [state.room.last_message] : [];
    this.outbox.settle(
      roomId,
      shown.filter((message) => message.sender_id === this.userId),
      state.loaded ? (state.messages.at(-1)?.seq ?? 0) : 0,
    );
  }
}
