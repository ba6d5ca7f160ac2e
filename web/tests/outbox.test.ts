import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { connectionLost } from "../src/client/errors.js";
import { Outbox } from "../src/client/outbox.js";
import { memoryStorage } from "../src/client/ports.js";
import { FakeConnection, message, refusal } from "./builders.js";

const stored = (_name: string, payload: Record<string, unknown>) => ({
  message: message(1, { client_id: String(payload.client_id) }),
});
const bodies = (connection: FakeConnection) => connection.named("message:send").map(({ body }) => body);
const ids = (connection: FakeConnection) =>
  connection.named("message:send").map(({ client_id }) => client_id);
const states = (outbox: Outbox) => outbox.of("room").map(({ state }) => state);

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("the outbox", () => {
  it("keeps a message on disk until it is acknowledged", async () => {
    const storage = memoryStorage();
    const connection = new FakeConnection(stored);
    const outbox = new Outbox(connection, storage, "ada");
    outbox.send({ room_id: "room", body: "hello" });
    expect(storage.length).toBe(1);
    await vi.runAllTimersAsync();
    expect(storage.length).toBe(0);
    expect(states(outbox)).toEqual(["stored"]);
  });

  it("shows a stored message until the room does", async () => {
    const outbox = new Outbox(new FakeConnection(stored), memoryStorage(), "ada");
    const client_id = outbox.send({ room_id: "room", body: "hello" });
    await vi.runAllTimersAsync();
    outbox.settle("room", [message(1, { client_id })], 0);
    expect(outbox.of("room")).toEqual([]);
  });

  it("survives a reload: the next page sends it with the same id", async () => {
    const storage = memoryStorage();
    const before = new FakeConnection(stored);
    before.online = false;
    const client_id = new Outbox(before, storage, "ada").send({ room_id: "room", body: "hello" });
    const connection = new FakeConnection(stored);
    const outbox = new Outbox(connection, storage, "ada");
    expect(outbox.waiting).toBe(1);
    outbox.flush();
    await vi.runAllTimersAsync();
    expect(ids(connection)).toEqual([client_id]);
  });

  it("keeps the order of a room through a lost connection, and the ids", async () => {
    const connection = new FakeConnection(() => {
      connection.online = false;
      throw connectionLost();
    });
    const outbox = new Outbox(connection, memoryStorage(), "ada");
    outbox.send({ room_id: "room", body: "one" });
    outbox.send({ room_id: "room", body: "two" });
    await vi.runAllTimersAsync();
    expect(bodies(connection)).toEqual(["one"]);
    connection.online = true;
    connection.answer = stored;
    outbox.flush();
    await vi.runAllTimersAsync();
    expect(bodies(connection)).toEqual(["one", "one", "two"]);
    expect(ids(connection)[0]).toBe(ids(connection)[1]);
  });

  it("waits as long as a rate limit says, then goes on", async () => {
    let refused = 0;
    const connection = new FakeConnection((name, payload) => {
      if (refused++ === 0) throw refusal("rate.limited", true, 700);
      return stored(name, payload);
    });
    const outbox = new Outbox(connection, memoryStorage(), "ada");
    outbox.send({ room_id: "room", body: "hello" });
    await vi.advanceTimersByTimeAsync(699);
    expect(connection.calls).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(states(outbox)).toEqual(["stored"]);
  });

  it("keeps a refused message as failed and sends the next one", async () => {
    const connection = new FakeConnection((name, payload) => {
      if (payload.body === "bad") throw refusal("room.forbidden", false);
      return stored(name, payload);
    });
    const outbox = new Outbox(connection, memoryStorage(), "ada");
    outbox.send({ room_id: "room", body: "bad" });
    outbox.send({ room_id: "room", body: "good" });
    await vi.runAllTimersAsync();
    expect(states(outbox)).toEqual(["failed", "stored"]);
    expect(outbox.of("room")[0]?.error).toBe("room.forbidden");
  });

  it("does not wait out a mute of an hour in silence", async () => {
    const connection = new FakeConnection(() => {
      throw refusal("room.muted", true, 3_600_000);
    });
    const outbox = new Outbox(connection, memoryStorage(), "ada");
    outbox.send({ room_id: "room", body: "hello" });
    await vi.runAllTimersAsync();
    expect(states(outbox)).toEqual(["failed"]);
  });

  it("sends a failed message again when asked, and forgets a discarded one", async () => {
    const storage = memoryStorage();
    const connection = new FakeConnection(() => {
      throw refusal("room.forbidden", false);
    });
    const outbox = new Outbox(connection, storage, "ada");
    const first = outbox.send({ room_id: "room", body: "one" });
    const second = outbox.send({ room_id: "room", body: "two" });
    await vi.runAllTimersAsync();
    connection.answer = stored;
    outbox.retry(first);
    outbox.discard(second);
    await vi.runAllTimersAsync();
    expect(states(outbox)).toEqual(["stored"]);
    expect(storage.length).toBe(0);
  });

  it("does not send what another tab of the same person has sent or discarded", async () => {
    const storage = memoryStorage();
    const offline = new FakeConnection(stored);
    offline.online = false;
    const here = new Outbox(offline, storage, "ada");
    here.send({ room_id: "room", body: "hello" });
    const there = new Outbox(new FakeConnection(stored), storage, "ada");
    there.flush();
    await vi.runAllTimersAsync();
    offline.online = true;
    here.flush();
    await vi.runAllTimersAsync();
    expect(offline.calls).toEqual([]);
  });

  it("leaves the messages of other people in the same browser alone", () => {
    const storage = memoryStorage();
    const offline = new FakeConnection(stored);
    offline.online = false;
    new Outbox(offline, storage, "ada").send({ room_id: "room", body: "hello" });
    expect(new Outbox(offline, storage, "ben").waiting).toBe(0);
  });

  it("still sends when storage is full", async () => {
    const storage = memoryStorage();
    storage.setItem = () => {
      throw new Error("QuotaExceededError");
    };
    const connection = new FakeConnection(stored);
    new Outbox(connection, storage, "ada").send({ room_id: "room", body: "hello" });
    await vi.runAllTimersAsync();
    expect(bodies(connection)).toEqual(["hello"]);
  });
});
