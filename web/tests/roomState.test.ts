import { describe, expect, it } from "vitest";
import {
  applyChange,
  applyHistory,
  applyListed,
  applyReceipt,
  applySnapshot,
  fromRoom,
  hasGap,
  isMentioned,
  type RoomState,
  unreadOf,
} from "../src/client/roomState.js";
import { ME, message, room, snapshot } from "./builders.js";

const seqs = (state: RoomState) => state.messages.map(({ seq }) => seq);
const created = (seq: number, over = {}) => ({ kind: "new" as const, message: message(seq, over) });
const updated = (seq: number, rev: number, body = "edited") => ({
  kind: "updated" as const,
  message: message(seq, { rev, body }),
});

function loaded(count: number): RoomState {
  const messages = Array.from({ length: count }, (_, i) => message(i + 1));
  return applySnapshot(fromRoom(room(), ME), snapshot(messages), ME);
}

describe("live changes of a loaded room", () => {
  it("appends the next change and is level with it", () => {
    const state = applyChange(loaded(2), created(3), ME);
    expect(seqs(state)).toEqual([1, 2, 3]);
    expect(state.rev).toBe(3);
    expect(hasGap(state)).toBe(false);
  });

  it("ignores a change that it has, however often it comes", () => {
    const before = loaded(3);
    expect(applyChange(before, created(3), ME)).toBe(before);
    expect(applyChange(before, created(1), ME)).toBe(before);
  });

  it("holds a change beyond a hole and says so, instead of showing a room with a hole", () => {
    const state = applyChange(loaded(2), created(4), ME);
    expect(seqs(state)).toEqual([1, 2]);
    expect(state.rev).toBe(2);
    expect(hasGap(state)).toBe(true);
  });

  it("lets go of held changes when the missing one comes, in order of rev", () => {
    const held = [created(5), created(4)].reduce(
      (state, change) => applyChange(state, change, ME),
      loaded(2),
    );
    const state = applyChange(held, created(3), ME);
    expect(seqs(state)).toEqual([1, 2, 3, 4, 5]);
    expect(hasGap(state)).toBe(false);
  });

  it("replaces an edited message in its place", () => {
    const state = applyChange(loaded(3), updated(2, 4), ME);
    expect(seqs(state)).toEqual([1, 2, 3]);
    expect(state.messages[1]?.body).toBe("edited");
  });

  it("counts a change of the room itself as one rev, and keeps what is the user's own", () => {
    const { me: _me, ...told } = room({ rev: 3, title: "Maths 7B", last_seq: 2 });
    const state = applyChange(loaded(2), { kind: "room", room: told }, ME);
    expect(state.rev).toBe(3);
    expect(state.room.title).toBe("Maths 7B");
    expect(state.room.me?.role).toBe("member");
  });

  it("keeps a direct room's name, which what is told to everybody does not have", () => {
    const peer = { id: "ben", name: "Ben", role: "student" as const };
    const direct = room({ kind: "direct", title: "Ben", peer });
    const state = applyChange(
      fromRoom(direct, ME),
      { kind: "room", room: room({ kind: "direct", title: "", rev: 1 }) },
      ME,
    );
    expect(state.room.title).toBe("Ben");
    expect(state.room.peer).toEqual(peer);
  });
});

describe("snapshots", () => {
  it("merge into what is known, whatever the order of rev", () => {
    const answer = snapshot([message(4), message(3, { rev: 5, body: "edited" })], { reset: false });
    const state = applySnapshot(loaded(2), answer, ME);
    expect(seqs(state)).toEqual([1, 2, 3, 4]);
    expect(state.rev).toBe(5);
  });

  it("replace everything on reset", () => {
    const state = applySnapshot(loaded(3), snapshot([message(90), message(91)]), ME);
    expect(seqs(state)).toEqual([90, 91]);
    expect(state.hasOlder).toBe(true);
  });

  it("let go of what came live while they were read, once", () => {
    const syncing = { ...loaded(2), syncing: true };
    const during = [created(3), created(4)].reduce(
      (state, change) => applyChange(state, change, ME),
      syncing,
    );
    expect(seqs(during)).toEqual([1, 2]);
    const state = applySnapshot(during, snapshot([message(3)], { reset: false }), ME);
    expect(seqs(state)).toEqual([1, 2, 3, 4]);
    expect(state.held).toEqual([]);
  });

  it("still know of a hole that they did not fill", () => {
    const syncing = { ...loaded(2), syncing: true };
    const during = applyChange(syncing, created(6), ME);
    const state = applySnapshot(during, snapshot([message(3)], { reset: false }), ME);
    expect(hasGap(state)).toBe(true);
  });

  it("hold live changes during the very first one too", () => {
    const first = applyChange({ ...fromRoom(room(), ME), syncing: true }, created(3), ME);
    const state = applySnapshot(first, snapshot([message(1), message(2)]), ME);
    expect(seqs(state)).toEqual([1, 2, 3]);
  });
});

describe("history", () => {
  it("goes in front", () => {
    const newest = applySnapshot(fromRoom(room(), ME), snapshot([message(3), message(4)]), ME);
    const state = applyHistory(newest, [message(1), message(2)], false);
    expect(seqs(state)).toEqual([1, 2, 3, 4]);
    expect(state.hasOlder).toBe(false);
  });

  it("cannot hide an edit that came while it was read", () => {
    const newest = applySnapshot(fromRoom(room(), ME), snapshot([message(3), message(4)]), ME);
    const edited = applyChange(newest, updated(2, 5), ME);
    expect(seqs(edited)).toEqual([3, 4]);
    const state = applyHistory(edited, [message(1), message(2)], false);
    expect(state.messages[1]?.body).toBe("edited");
  });
});

describe("rooms that were not opened", () => {
  it("show the newest message and count it, even beyond a hole", () => {
    const state = applyChange(fromRoom(room(), ME), created(7), ME);
    expect(state.room.last_message?.seq).toBe(7);
    expect(unreadOf(state)).toBe(7);
    expect(hasGap(state)).toBe(false);
  });

  it("take the list's word for what they are", () => {
    const state = applyListed(fromRoom(room(), ME), room({ last_seq: 4, rev: 9, title: "New" }), ME);
    expect([state.rev, state.room.title, unreadOf(state)]).toEqual([9, "New", 4]);
  });
});

describe("watermarks", () => {
  it("never move back", () => {
    const ben = { room_id: "room", user_id: "ben" };
    const up = applyReceipt(loaded(0), { ...ben, read_seq: 5, delivered_seq: 6 }, ME);
    const state = applyReceipt(up, { ...ben, read_seq: 3, delivered_seq: 3 }, ME);
    expect(state.receipts.ben).toMatchObject({ read_seq: 5, delivered_seq: 6 });
  });

  it("of a sender reach the message sent", () => {
    const state = applyChange(loaded(2), created(3), ME);
    expect(state.receipts.ben).toMatchObject({ read_seq: 3, delivered_seq: 3 });
  });

  it("of the user's other tab clear the count here", () => {
    const state = applyReceipt(
      loaded(3),
      { room_id: "room", user_id: ME, read_seq: 3, delivered_seq: 3 },
      ME,
    );
    expect(unreadOf(state)).toBe(0);
  });

  it("survive an answer that was written before they rose", () => {
    const read = applyReceipt(loaded(3), { room_id: "room", user_id: ME, read_seq: 3, delivered_seq: 3 }, ME);
    expect(unreadOf(applyListed(read, room({ rev: 3, last_seq: 3 }), ME))).toBe(0);
  });
});

describe("mentions", () => {
  it("mark the room until they are read", () => {
    const state = applyChange(loaded(1), created(2, { mentions: [ME] }), ME);
    expect(isMentioned(state)).toBe(true);
    const read = applyReceipt(state, { room_id: "room", user_id: ME, read_seq: 2, delivered_seq: 2 }, ME);
    expect(isMentioned(read)).toBe(false);
  });
});
