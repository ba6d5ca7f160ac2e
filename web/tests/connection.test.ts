import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server, type Socket } from "socket.io";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Connection, type Status } from "../src/client/connection.js";
import { memoryVault } from "../src/client/ports.js";
import { Session } from "../src/client/session.js";

type Refusal = { code: string; retry_after_ms?: number };

const token = (tag: string, leftS = 3600) =>
  `h.${btoa(JSON.stringify({ sub: "ada", exp: Date.now() / 1000 + leftS, tag }))}.s`;

let server: Server;
let sockets: Socket[];
let tokens: string[];
let refusals: Refusal[];
let connection: Connection;
let history: Status[];

/** A server that greets, refuses the next connections as told, and knows `room:list`. */
beforeEach(async () => {
  const http = createServer();
  server = new Server(http);
  sockets = [];
  tokens = [];
  refusals = [];
  server.use((socket, next) => {
    tokens.push((socket.handshake.auth as { token: string }).token);
    const refusal = refusals.shift();
    next(refusal && Object.assign(new Error(refusal.code), { data: refusal }));
  });
  server.on("connection", (socket) => {
    sockets.push(socket);
    socket.on("room:list", (_payload: unknown, ack: (answer: unknown) => void) =>
      ack({ ok: true, data: { rooms: [] } }),
    );
    socket.on("room:leave", (_payload: unknown, ack: (answer: unknown) => void) =>
      ack({
        ok: false,
        error: { code: "rate.limited", message: "Too fast.", retryable: true, retry_after_ms: 40 },
      }),
    );
    socket.emit("ready", {});
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  connect({ access_token: token("first"), refresh_token: "r1" }, (http.address() as AddressInfo).port);
});

function connect(credentials: { access_token: string; refresh_token: string }, port: number): void {
  const pair = { access_token: token("renewed"), refresh_token: "r2" };
  const session = new Session({
    url: "",
    credentials,
    vault: memoryVault(credentials),
    fetch: () => Promise.resolve(Response.json(pair)),
  });
  connection = new Connection({
    url: `http://127.0.0.1:${port}`,
    session,
    transports: ["websocket"],
    random: () => 0,
  });
  history = [];
  connection.status.on("changed", (status) => history.push(status));
}

afterEach(async () => {
  connection.stop();
  await server.close();
});

const online = () => vi.waitFor(() => expect(connection.current).toBe("online"), 5000);
const connected = (count: number) => vi.waitFor(() => expect(sockets).toHaveLength(count), 5000);

describe("a connection", () => {
  it("is online at the greeting, and then answers calls", async () => {
    connection.start();
    await online();
    expect(await connection.call("room:list", {})).toEqual({ rooms: [] });
  });

  it("turns a refusal into an error with its code and patience", async () => {
    connection.start();
    await online();
    const refused = connection.call("room:leave", { room_id: "r" });
    await expect(refused).rejects.toMatchObject({ code: "rate.limited", retryable: true, retryAfterMs: 40 });
  });

  it("fails a call at once while there is no connection, instead of sending it later", async () => {
    await expect(connection.call("room:list", {})).rejects.toMatchObject({ code: "client.connection_lost" });
  });

  it("can be used in the listener of `ready`", async () => {
    const answered = new Promise((resolve) =>
      connection.onEvent("ready", () => resolve(connection.call("room:list", {}))),
    );
    connection.start();
    expect(await answered).toEqual({ rooms: [] });
  });

  it("comes back when the server itself closed it", async () => {
    connection.start();
    await online();
    sockets[0]?.disconnect(true);
    await connected(2);
    await online();
    expect(history).toEqual(["connecting", "online", "waiting", "connecting", "online"]);
  });

  it("comes back after the delay that a draining server gives", async () => {
    connection.start();
    await online();
    sockets[0]?.emit("server:draining", { reconnect_after_ms: 60 });
    await connected(2);
    await online();
  });

  it("renews an expired token and tries again with the new one", async () => {
    refusals.push({ code: "auth.expired_token" });
    connection.start();
    await online();
    expect(tokens[1]).not.toBe(tokens[0]);
    expect(history).not.toContain("signed_out");
  });

  it("signs out when a renewed token is refused too", async () => {
    refusals.push({ code: "auth.invalid_token" }, { code: "auth.invalid_token" });
    connection.start();
    await vi.waitFor(() => expect(connection.current).toBe("signed_out"), 5000);
  });

  it("waits out an overloaded server", async () => {
    refusals.push({ code: "server.overloaded", retry_after_ms: 50 });
    connection.start();
    await online();
    expect(history).toEqual(["connecting", "waiting", "connecting", "online"]);
  });

  it("tells the server the new token when the old one is about to end", async () => {
    connection.start();
    await online();
    const told = new Promise((resolve) => {
      sockets[0]?.on("auth:refresh", (payload: { token: string }, ack: (answer: unknown) => void) => {
        ack({ ok: true, data: { expires_at: "2026-11-21T10:00:00.000Z" } });
        resolve(payload.token);
      });
    });
    sockets[0]?.emit("auth:expiring", { expires_at: "2026-11-21T09:01:00.000Z" });
    expect(await told).not.toBe(tokens[0]);
  });

  it("stays away once stopped", async () => {
    connection.start();
    await online();
    connection.stop();
    expect(connection.current).toBe("stopped");
    await expect(connection.call("room:list", {})).rejects.toMatchObject({ code: "client.connection_lost" });
  });
});
