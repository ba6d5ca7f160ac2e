import { describe, expect, it } from "vitest";
import { buildRows, type Row, type RowsInput } from "../src/app/chat/rows.js";
import { ME, message } from "./builders.js";

const utcDay = (at: number) => new Date(at).toISOString().slice(0, 10);
const at = (iso: string, seq: number, sender_id = "ben") => message(seq, { created_at: iso, sender_id });

function rows(over: Partial<RowsInput>): Row[] {
  return buildRows(
    { messages: [], outgoing: [], hasOlder: false, dividerAfter: null, me: ME, ...over },
    utcDay,
  );
}

const kinds = (all: Row[]) => all.map(({ kind }) => kind);
const groups = (all: Row[]) =>
  all.flatMap((row) =>
    "grouping" in row ? [`${row.grouping.first ? "[" : ""}.${row.grouping.last ? "]" : ""}`] : [],
  );

describe("rows of a conversation", () => {
  it("group one person's messages within five minutes", () => {
    const messages = [
      at("2026-11-21T09:00:00.000Z", 1),
      at("2026-11-21T09:04:59.000Z", 2),
      at("2026-11-21T09:10:00.000Z", 3),
      at("2026-11-21T09:10:01.000Z", 4, "chen"),
    ];
    expect(groups(rows({ messages }))).toEqual(["[.", ".]", "[.]", "[.]"]);
  });

  it("begin every day with a chip, and a group never spans midnight", () => {
    const messages = [at("2026-11-20T23:59:00.000Z", 1), at("2026-11-21T00:01:00.000Z", 2)];
    const all = rows({ messages });
    expect(kinds(all)).toEqual(["begin", "day", "message", "day", "message"]);
    expect(groups(all)).toEqual(["[.]", "[.]"]);
  });

  it("divide what is new, after the user's own messages", () => {
    const messages = [
      at("2026-11-21T09:00:00.000Z", 1),
      at("2026-11-21T09:00:01.000Z", 2, ME),
      at("2026-11-21T09:00:02.000Z", 3),
    ];
    expect(kinds(rows({ messages, dividerAfter: 1 }))).toEqual([
      "begin",
      "day",
      "message",
      "message",
      "divider",
      "message",
    ]);
  });

  it("end with what is on its way, under a key that stays when it is stored", () => {
    const entry = {
      client_id: "c9",
      room_id: "room",
      body: "hello",
      queued_at: Date.parse("2026-11-21T09:00:05.000Z"),
      state: "sending" as const,
    };
    const sending = rows({ outgoing: [entry] }).at(-1);
    const sent = rows({ messages: [message(1, { sender_id: ME, client_id: "c9" })] }).at(-1);
    expect(sending?.kind).toBe("outgoing");
    expect(sending?.key).toBe(sent?.key);
  });

  it("say whether there is more above", () => {
    expect(kinds(rows({ hasOlder: true }))).toEqual(["older"]);
    expect(kinds(rows({}))).toEqual(["begin"]);
  });
});
