import type { RoomState } from "../../client/index.js";
import { RECEIPT_MEMBERS } from "../rooms/roomText.js";

export type SentState = "sent" | "delivered" | "read";

export interface Marks {
  readonly stateOf: (seq: number) => SentState;
  /** How many of how many others have read up to a seq; null where the room is too large to know. */
  readonly readers: (seq: number) => { readonly read: number; readonly of: number } | null;
}

/** What the others' watermarks say of one's own messages. Delivered and read mean: to everybody in the room. */
export function marksOf({ room, receipts }: RoomState, me: string): Marks {
  const others = Object.values(receipts).filter(({ user_id }) => user_id !== me);
  const known = room.member_count <= RECEIPT_MEMBERS && others.length >= Math.max(1, room.member_count - 1);
  const read = known ? Math.min(...others.map(({ read_seq }) => read_seq)) : 0;
  const delivered = known ? Math.min(...others.map(({ delivered_seq }) => delivered_seq)) : 0;
  return {
    stateOf: (seq) => (seq <= read ? "read" : seq <= delivered ? "delivered" : "sent"),
    readers: (seq) =>
      known ? { read: others.filter(({ read_seq }) => read_seq >= seq).length, of: others.length } : null,
  };
}
