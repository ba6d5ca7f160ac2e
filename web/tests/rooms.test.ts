import { describe, expect, it, vi } from "vitest";
import { Rooms } from "../src/client/rooms.js";
import { FakeConnection, ME, message, refusal, room, snapshot } from "./builders.js";

const noFetch = () => Promise.reject(new Error("not asked for"));

function school(answers: Record<string, (payload: Record<string, unknown>) => unknown>) {
  const connection = new FakeConnection((name, payload) => {
    const answer = answers[name];
    if (!answer) throw refusal("request.unknown_event", false);
    return answer(payload);
  });
  return { connection, rooms: new Rooms(connection, noFetch, () => ME) };
}

const list = () => ({ rooms: [room({ rev: 2, last_seq: 2 })] });

describe("rooms", () => {
  it("ask for what is missing when they see a hole, and end up without one", async () => {
    const { connection, rooms } = school({
      "room:list": list,
      "room:join": ({ since_rev }) =>
        since_rev === undefined
          ? snapshot([message(1), message(2)])
          : snapshot([message(3), message(4)], { reset: false }),
    });
    await rooms.refresh();
    await rooms.open("room");
    connection.tell("message:new", { message: message(4) });
    await vi.waitFor(() => expect(rooms.get("room")?.messages.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]));
    expect(connection.named("room:join")).toEqual([{ room_id: "room" }, { room_id: "room", since_rev: 2 }]);
  });

  it("sync every opened room after a reconnect, from the rev they have", async () => {
    const { connection, rooms } = school({
      "room:list": list,
      "room:join": () => snapshot([message(1), message(2)]),
    });
    await rooms.refresh();
    await rooms.open("room");
    await rooms.refresh();
    expect(connection.named("room:join").at(-1)).toEqual({ room_id: "room", since_rev: 2 });
  });

  it("try a read again after as long as the server says", async () => {
    let refused = false;
    const { rooms } = school({
      "room:list": () => {
        if (refused) return list();
        refused = true;
        throw refusal("rate.limited", true, 5);
      },
    });
    await rooms.refresh();
    expect(rooms.listed).toBe(true);
  });

  it("read all pages of the list and forget rooms that are no longer in it", async () => {
    let pages = [
      { rooms: [room({ id: "a" })], next_cursor: "2" },
      { rooms: [room({ id: "b" })] },
      { rooms: [room({ id: "b" })] },
    ];
    const { rooms } = school({
      "room:list": () => {
        const [page, ...rest] = pages;
        pages = rest;
        return page;
      },
    });
    await rooms.refresh();
    expect(rooms.list().map((state) => state.room.id)).toEqual(["a", "b"]);
    await rooms.refresh();
    expect(rooms.list().map((state) => state.room.id)).toEqual(["b"]);
  });

  it("fetch a room that they hear of for the first time", async () => {
    const connection = new FakeConnection(() => ({}));
    const rooms = new Rooms(
      connection,
      () => Promise.resolve(room({ id: "new" })),
      () => ME,
    );
    connection.tell("message:new", { message: message(1, { room_id: "new" }) });
    await vi.waitFor(() => expect(rooms.get("new")).toBeDefined());
  });

  it("drop a room that the user was taken out of", async () => {
    const { connection, rooms } = school({ "room:list": list });
    await rooms.refresh();
    connection.tell("room:removed", { room_id: "room", reason: "removed" });
    expect(rooms.get("room")).toBeUndefined();
  });
});
