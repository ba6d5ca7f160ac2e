// The load contract (../README.md) on Socket.IO, written as its documentation does it: rooms, acks, `io.to(…).emit`.
//
//   node server.mjs [--port 0] [--redis redis://127.0.0.1:6379]

import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { createAdapter } from "@socket.io/redis-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";
import { NoRoom, Rooms } from "./rooms.mjs";

const BROADCAST_MEMBERS = 100; // beyond, typing and receipts stay with the sender, as on Homeroom

const { values: options } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    redis: { type: "string" },
  },
});

// The signature is not looked at: a comparison of transports, not of cryptography.
const claimsOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());

const adapterFor = async (url) => {
  const publishing = createClient({ url });
  const subscribed = publishing.duplicate();
  await Promise.all([publishing.connect(), subscribed.connect()]);
  return createAdapter(publishing, subscribed);
};

const httpServer = createServer();
const io = new Server(httpServer, {
  perMessageDeflate: false,
  serveClient: false,
  ...(options.redis ? { adapter: await adapterFor(options.redis) } : {}),
});
const rooms = new Rooms();

// "Discard the initial HTTP request", from Socket.IO's page on memory usage.
io.engine.on("connection", (rawSocket) => {
  rawSocket.request = null;
});

io.use((socket, next) => {
  try {
    const { sub, name, role } = claimsOf(socket.handshake.auth.token);
    socket.data.user = { id: sub, name: name ?? sub, role: role ?? "student" };
    next();
  } catch {
    next(Object.assign(new Error("The handshake carries no token."), { data: { code: "auth.invalid_token" } }));
  }
});

const toOthers = (socket, roomId, event, payload) => {
  if ((io.of("/").adapter.rooms.get(roomId)?.size ?? 0) <= BROADCAST_MEMBERS) socket.to(roomId).emit(event, payload);
};

// Each takes the socket and the payload, and returns the data of the ack.
const handlers = {
  "room:open"(socket, payload) {
    const room = rooms.open(socket.data.user.id, payload);
    if (room.kind === "direct" || room.kind === "group") {
      for (const userId of room.memberIds) {
        io.local.in(`user:${userId}`).socketsJoin(room.id); // at once; elsewhere when Redis has told it
        if (options.redis) io.in(`user:${userId}`).socketsJoin(room.id);
      }
    }
    return { room: room.state };
  },
  "room:join"(socket, { room_id, since_rev }) {
    const room = rooms.get(room_id);
    socket.join(room.id);
    room.memberIds.add(socket.data.user.id);
    return room.snapshot(since_rev);
  },
  "room:sync": (_, { room_id, since_rev }) => rooms.get(room_id).snapshot(since_rev),
  "room:leave"(socket, { room_id }) {
    socket.leave(room_id);
    return {};
  },
  "message:history": (_, payload) => rooms.get(payload.room_id).history(payload),
  "message:send"(socket, payload) {
    const room = rooms.get(payload.room_id);
    const message = room.store(socket.data.user.id, payload);
    io.to(room.id).emit("message:new", { message });
    return { message };
  },
  "receipt:mark"(socket, { room_id, read_seq = 0, delivered_seq = 0 }) {
    const receipt = { room_id, user_id: socket.data.user.id, read_seq, delivered_seq };
    toOthers(socket, room_id, "receipt:changed", { receipt });
    return { receipt };
  },
  "typing:set"(socket, { room_id, on }) {
    toOthers(socket, room_id, "typing:changed", { room_id, user_id: socket.data.user.id, on });
    return {};
  },
  "presence:set": (socket, { status }) => ({ presence: { user_id: socket.data.user.id, status } }),
  "presence:watch": () => ({ presence: [] }),
  "presence:unwatch": () => ({}),
};

const errorOf = (thrown) =>
  thrown instanceof NoRoom
    ? { code: "room.not_found", message: "There is no such room.", retryable: false }
    : { code: "request.invalid", message: String(thrown), retryable: false };

const on = (socket, event, handle) => {
  socket.on(event, (payload, ack = () => {}) => {
    try {
      ack({ ok: true, data: handle(socket, payload) });
    } catch (thrown) {
      ack({ ok: false, error: errorOf(thrown) });
    }
  });
};

io.on("connection", (socket) => {
  const { user } = socket.data;
  socket.join([`user:${user.id}`, ...rooms.directsOf(user.id)]);
  for (const [event, handle] of Object.entries(handlers)) on(socket, event, handle);
  socket.emit("ready", { user, connection_id: socket.id, server_time: new Date().toISOString(), limits: {} });
});

httpServer.listen({ port: Number(options.port), host: "127.0.0.1", backlog: 4096 }, () => {
  console.log(`http://127.0.0.1:${httpServer.address().port}`);
});
