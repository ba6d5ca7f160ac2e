import type { Message, Outgoing } from "../../client/index.js";

/** A line of the conversation as it is drawn. `key` is stable across updates. */
export type Row =
  | { readonly kind: "begin"; readonly key: string }
  | { readonly kind: "older"; readonly key: string }
  | { readonly kind: "day"; readonly key: string; readonly at: string }
  | { readonly kind: "divider"; readonly key: string }
  | { readonly kind: "message"; readonly key: string; readonly message: Message; readonly grouping: Grouping }
  | {
      readonly kind: "outgoing";
      readonly key: string;
      readonly entry: Outgoing;
      readonly grouping: Grouping;
    };

/** Where a bubble stands among its neighbours of the same person. */
export interface Grouping {
  readonly first: boolean;
  readonly last: boolean;
}

const GROUP_MS = 5 * 60_000;

export interface RowsInput {
  readonly messages: readonly Message[];
  readonly outgoing: readonly Outgoing[];
  readonly hasOlder: boolean;
  /** The "new" divider stands before the first message of others after this seq. */
  readonly dividerAfter: number | null;
  readonly me: string;
}

interface Item {
  readonly key: string;
  readonly sender: string;
  readonly at: number;
  readonly plain: boolean;
  readonly row: (grouping: Grouping) => Row;
}

/** Days are the viewer's own: `dayOf` maps a moment to the local day. */
export function buildRows(input: RowsInput, dayOf: (at: number) => string = localDay): Row[] {
  const items = [
    ...input.messages.map(messageItem),
    ...input.outgoing.map((entry) => outgoingItem(entry, input.me)),
  ];
  const divider = dividerIndex(input);
  const rows: Row[] = [input.hasOlder ? { kind: "older", key: "older" } : { kind: "begin", key: "begin" }];
  let joined = false;
  items.forEach((item, i) => {
    const before = items[i - 1];
    const newDay = !before || dayOf(before.at) !== dayOf(item.at);
    if (newDay) rows.push({ kind: "day", key: `day:${dayOf(item.at)}`, at: new Date(item.at).toISOString() });
    if (i === divider) rows.push({ kind: "divider", key: "divider" });
    const first = newDay || i === divider || !joined;
    const after = items[i + 1];
    joined =
      after !== undefined && i + 1 !== divider && dayOf(after.at) === dayOf(item.at) && together(item, after);
    rows.push(item.row({ first, last: !joined }));
  });
  return rows;
}

const QUARTER_MS = 15 * 60_000;
const days = new Map<number, string>();

/** The viewer's calendar day. Every zone's midnight is on a quarter of an hour, so one answer serves all of that. */
export function localDay(at: number): string {
  const quarter = Math.floor(at / QUARTER_MS);
  const known = days.get(quarter);
  if (known !== undefined) return known;
  const date = new Date(at);
  const day = `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
  days.set(quarter, day);
  return day;
}

export function messageKey(senderId: string, clientId: string): string {
  return `${senderId}/${clientId}`;
}

/** Where the new messages begin; -1 while that is further up than what is loaded. */
function dividerIndex({ messages, dividerAfter, me }: RowsInput): number {
  if (dividerAfter === null || (messages[0]?.seq ?? 0) > dividerAfter + 1) return -1;
  return messages.findIndex((message) => message.seq > dividerAfter && message.sender_id !== me);
}

function together(a: Item, b: Item): boolean {
  return a.plain && b.plain && a.sender === b.sender && b.at - a.at < GROUP_MS;
}

function messageItem(message: Message): Item {
  const key = messageKey(message.sender_id, message.client_id);
  return {
    key,
    sender: message.sender_id,
    at: Date.parse(message.created_at),
    plain: message.kind !== "system",
    row: (grouping) => ({ kind: "message", key, message, grouping }),
  };
}

function outgoingItem(entry: Outgoing, me: string): Item {
  const key = messageKey(me, entry.client_id);
  return {
    key,
    sender: me,
    at: entry.queued_at,
    plain: true,
    row: (grouping) => ({ kind: "outgoing", key, entry, grouping }),
  };
}
