import type { Message, Room, User } from "../../client/index.js";
import { t } from "../../i18n/index.js";
import { clockTime } from "../format.js";
import { plainText } from "../text/markdown.js";

/** Rooms larger than this have neither receipts nor typing (WIRE.md, limits). */
export const RECEIPT_MEMBERS = 100;

export function roomTitle(room: Room): string {
  return room.peer?.name ?? (room.title || t().rooms.kind[room.kind]);
}

/** The last line of a room for the list. */
export function preview(message: Message, me: string, room: Room, nameOf: (id: string) => string): string {
  const text = message.deleted_at ? t().rooms.deleted : plainText(message.body);
  if (message.kind === "system") return text;
  if (message.sender_id === me) return `${t().rooms.you}: ${text}`;
  return room.kind === "direct" ? text : `${shortName(nameOf(message.sender_id))}: ${text}`;
}

/** The first name, or all of a name that begins with a title ("Ms Rao"). */
function shortName(name: string): string {
  return /^(mr|mrs|ms|miss|dr|prof)\b/i.test(name) ? name : (name.split(" ")[0] ?? name);
}

/** Why the user cannot write in a room; null if they can. */
export function whySilent(room: Room, user: User | undefined, now = Date.now()): string | null {
  const words = t().composer;
  const keeper = room.me?.role === "owner" || room.me?.role === "moderator";
  const mutedUntil = room.me?.muted_until;
  if (room.archived) return words.archived;
  if (user?.role === "viewer") return words.viewer;
  if (room.kind === "announcement" && !keeper) return words.announcement;
  if (room.me?.role === "observer") return words.observer;
  if (mutedUntil && Date.parse(mutedUntil) > now) return words.muted(clockTime(mutedUntil));
  return null;
}

/** In a channel of announcements members may react, though not write. */
export function mayReact(room: Room, user: User | undefined): boolean {
  const { me, archived } = room;
  return !archived && user?.role !== "viewer" && me !== undefined && me.role !== "observer";
}

export function isKeeper(room: Room): boolean {
  return room.kind !== "direct" && (room.me?.role === "owner" || room.me?.role === "moderator");
}
