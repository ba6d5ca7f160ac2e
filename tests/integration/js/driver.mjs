// Drives the official Socket.IO client for tests in Python: one JSON command a line comes in on standard input, and
// everything that happens goes out, one JSON object a line, on standard output. The tests decide; this only obeys.
//
// Bytes are written {"$bytes": "base64"}.

import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const sockets = new Map();

const tell = (news) => process.stdout.write(`${JSON.stringify(news)}\n`);

const fromWire = (value) => {
  if (value === null || typeof value !== "object") return value;
  if (typeof value.$bytes === "string") return Buffer.from(value.$bytes, "base64");
  if (Array.isArray(value)) return value.map(fromWire);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fromWire(item)]));
};

const toWire = (value) => {
  if (value === null || typeof value !== "object") return value;
  if (ArrayBuffer.isView(value)) return { $bytes: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return value.map(toWire);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toWire(item)]));
};

const watch = (name, socket) => {
  const manager = socket.io;
  const happened = (what, data) => tell({ socket: name, what, data });
  manager.on("open", () => {
    const engine = manager.engine;
    happened("transport", engine.transport.name);
    engine.on("upgrade", (transport) => happened("transport", transport.name));
  });
  manager.on("ping", () => happened("ping", null));
  manager.on("reconnect", (attempt) => happened("reconnect", attempt));
  socket.on("connect", () => happened("connect", { recovered: socket.recovered }));
  socket.on("disconnect", (reason) => happened("disconnect", reason));
  socket.on("connect_error", (error) => happened("connect_error", { message: error.message, data: error.data ?? null }));
  socket.onAny((event, ...args) => tell({ socket: name, what: "event", event, args: toWire(args) }));
};

const commands = {
  open({ socket: name, url, options }) {
    const socket = io(url, { forceNew: true, ...options });
    sockets.set(name, socket);
    watch(name, socket);
  },
  connect: ({ socket }) => void sockets.get(socket).connect(),
  emit: ({ socket, event, args }) => void sockets.get(socket).emit(event, ...args.map(fromWire)),
  call({ socket, id, event, args }) {
    sockets.get(socket).emit(event, ...args.map(fromWire), (...answer) => tell({ socket, what: "ack", id, answer: toWire(answer) }));
  },
  // many events in one turn of the loop, as a client that was offline sends them
  burst({ socket, calls }) {
    for (const { id, event, args } of calls) commands.call({ socket, id, event, args });
  },
  close: ({ socket }) => void sockets.get(socket).disconnect(),
};

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const command = JSON.parse(line);
    commands[command.do](command);
  })
  .on("close", () => process.exit(0));
