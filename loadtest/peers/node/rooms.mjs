// Rooms in memory. `rev` is always `seq`: nothing is ever edited here.

import { randomUUID } from "node:crypto";

const KEPT = 1000; // messages of a room, at least
const PAGE = 50;
const SYNCED = 500;

export class NoRoom extends Error {}

export class Room {
  constructor(id, { kind, title = "" }, ownerId, memberIds) {
    this.id = id;
    this.kind = kind;
    this.title = title;
    this.ownerId = ownerId;
    this.memberIds = memberIds;
    this.createdAt = new Date().toISOString();
    this.lastSeq = 0;
    this.messages = [];
  }

  get state() {
    return {
      id: this.id,
      kind: this.kind,
      title: this.title,
      created_by: this.ownerId,
      created_at: this.createdAt,
      last_seq: this.lastSeq,
      rev: this.lastSeq,
      member_count: this.memberIds.size,
      archived: false,
      settings: {},
    };
  }

  store(senderId, { client_id, body }) {
    this.lastSeq += 1;
    const message = {
      id: randomUUID(),
      room_id: this.id,
      seq: this.lastSeq,
      rev: this.lastSeq,
      sender_id: senderId,
      client_id,
      kind: "text",
      body,
      attachments: [],
      mentions: [],
      reactions: {},
      created_at: new Date().toISOString(),
    };
    this.messages.push(message);
    if (this.messages.length >= 2 * KEPT) this.messages = this.messages.slice(-KEPT);
    return message;
  }

  // Without a rev, the newest page.
  snapshot(sinceRev) {
    const missed = sinceRev === undefined ? [] : this.after(sinceRev);
    const reset =
      sinceRev !== undefined && (missed.length > SYNCED || missed.length < this.lastSeq - sinceRev);
    const messages = sinceRev === undefined || reset ? this.messages.slice(-PAGE) : missed;
    return { room: this.state, messages, receipts: [], presence: [], rev: this.lastSeq, reset };
  }

  history({ before_seq, after_seq, limit = PAGE }) {
    if (after_seq !== undefined) {
      const found = this.after(after_seq);
      return { messages: found.slice(0, limit), has_more: found.length > limit };
    }
    const newer = before_seq === undefined ? 0 : this.after(before_seq - 1).length;
    const found = this.messages.slice(0, this.messages.length - newer);
    return { messages: found.slice(-limit), has_more: found.length > limit };
  }

  after(seq) {
    const count = Math.max(0, this.lastSeq - seq);
    return count === 0 ? [] : this.messages.slice(-count);
  }
}

export class Rooms {
  #rooms = new Map();
  #directs = new Map(); // user → ids of the rooms in which it is live without joining

  get(roomId) {
    const room = this.#rooms.get(roomId);
    if (room === undefined) throw new NoRoom();
    return room;
  }

  directsOf(userId) {
    return [...(this.#directs.get(userId) ?? [])];
  }

  // One direct room for each pair; any other kind is new each time.
  open(userId, payload) {
    if (payload.kind !== "direct") {
      const memberIds = new Set([userId, ...(payload.member_ids ?? [])]);
      return this.#add(new Room(randomUUID(), payload, userId, memberIds));
    }
    const pair = [userId, payload.user_id].sort();
    const id = `direct:${pair.join(":")}`;
    return this.#rooms.get(id) ?? this.#add(new Room(id, payload, userId, new Set(pair)));
  }

  #add(room) {
    this.#rooms.set(room.id, room);
    if (room.kind === "direct" || room.kind === "group") {
      for (const userId of room.memberIds) {
        if (!this.#directs.has(userId)) this.#directs.set(userId, new Set());
        this.#directs.get(userId).add(room.id);
      }
    }
    return room;
  }
}
