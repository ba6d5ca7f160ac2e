import type { Connection } from "../src/client/connection.js";
import { HomeroomError } from "../src/client/errors.js";
import type { Message, Room, SnapshotAck } from "../src/client/types.gen.js";

export const ME = "ada";

export function room(over: Partial<Room> = {}): Room {
  return {
    id: "room",
    kind: "group",
    title: "Maths",
    created_by: "ms-rao",
    created_at: "2026-11-20T08:00:00.000Z",
    last_seq: 0,
    rev: 0,
    member_count: 3,
    archived: false,
    settings: { open: false, slow_mode_s: 0 },
    me: { role: "member", read_seq: 0, delivered_seq: 0, unread: 0, notify: "all" },
    ...over,
  };
}

/** A message whose rev is its seq unless said otherwise. */
export function message(seq: number, over: Partial<Message> = {}): Message {
  return {
    id: `m${seq}`,
    room_id: "room",
    seq,
    rev: seq,
    sender_id: "ben",
    client_id: `c${seq}`,
    kind: "text",
    body: `message ${seq}`,
    attachments: [],
    mentions: [],
    reactions: {},
    created_at: new Date(Date.UTC(2026, 10, 21, 9, 0, seq)).toISOString(),
    ...over,
  };
}

export function snapshot(messages: Message[], over: Partial<SnapshotAck> = {}): SnapshotAck {
  const rev = Math.max(0, ...messages.map((each) => each.rev));
  const last_seq = Math.max(0, ...messages.map((each) => each.seq));
  return { room: room({ rev, last_seq }), messages, receipts: [], presence: [], rev, reset: true, ...over };
}

type Answer = (name: string, payload: Record<string, unknown>) => unknown;

/** A recording stand-in for a connection: what it answers is up to the test. */
export class FakeConnection {
  online = true;
  readonly calls: { name: string; payload: Record<string, unknown> }[] = [];
  readonly #listeners = new Map<string, ((payload: never) => void)[]>();
  answer: Answer;

  constructor(answer: Answer) {
    this.answer = answer;
  }

  call: Connection["call"] = async (name, payload) => {
    this.calls.push({ name, payload: payload as Record<string, unknown> });
    const data = await this.answer(name, payload as Record<string, unknown>);
    return data as never;
  };

  onEvent: Connection["onEvent"] = (name, listener) => {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
    return () => undefined;
  };

  tell(name: string, payload: unknown): void {
    for (const listener of this.#listeners.get(name) ?? []) listener(payload as never);
  }

  named(name: string): Record<string, unknown>[] {
    return this.calls.filter((call) => call.name === name).map((call) => call.payload);
  }
}

export function refusal(code: string, retryable: boolean, retry_after_ms?: number): HomeroomError {
  return new HomeroomError({
    code,
    message: code,
    retryable,
    ...(retry_after_ms === undefined ? {} : { retry_after_ms }),
  });
}
