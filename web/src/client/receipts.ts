import type { Connection } from "./connection.js";

interface Marks {
  read_seq: number;
  delivered_seq: number;
}

const PAUSE_MS = 150;

/** Sends the user's own watermarks, coalesced: one event per room at a time, and never faster than the pause. */
export class ReceiptMarks {
  readonly #caller: Pick<Connection, "call" | "online">;
  readonly #pending = new Map<string, Marks>();
  readonly #marked: (roomId: string, read: number, delivered: number) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    caller: Pick<Connection, "call" | "online">,
    marked: (roomId: string, read: number, delivered: number) => void,
  ) {
    this.#caller = caller;
    this.#marked = marked;
  }

  delivered(roomId: string, seq: number): void {
    this.#raise(roomId, { read_seq: 0, delivered_seq: seq });
  }

  read(roomId: string, seq: number): void {
    this.#raise(roomId, { read_seq: seq, delivered_seq: seq });
    this.#marked(roomId, seq, seq);
  }

  /** Send what could not be sent before. */
  flush(): void {
    if (this.#timer === undefined && this.#pending.size > 0) this.#next();
  }

  #raise(roomId: string, marks: Marks): void {
    const pending = this.#pending.get(roomId) ?? { read_seq: 0, delivered_seq: 0 };
    this.#pending.set(roomId, {
      read_seq: Math.max(pending.read_seq, marks.read_seq),
      delivered_seq: Math.max(pending.delivered_seq, marks.delivered_seq),
    });
    this.flush();
  }

  #next(): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#send();
    }, PAUSE_MS);
  }

  async #send(): Promise<void> {
    const [first] = this.#pending;
    if (!first || !this.#caller.online) return;
    const [roomId, marks] = first;
    this.#pending.delete(roomId);
    this.flush();
    const read = marks.read_seq > 0 ? { read_seq: marks.read_seq } : {};
    try {
      await this.#caller.call("receipt:mark", {
        room_id: roomId,
        delivered_seq: marks.delivered_seq,
        ...read,
      });
    } catch (cause) {
      if ((cause as { retryable?: boolean }).retryable) this.#raise(roomId, marks);
    }
  }
}
