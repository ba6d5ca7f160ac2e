import { ArrowDown, ArrowUp } from "lucide-preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Message, Outgoing, RoomState } from "../../client/index.js";
import { unreadOf } from "../../client/index.js";
import { t } from "../../i18n/index.js";
import { dayName, exactTime } from "../format.js";
import { attempt, client, me } from "../store.js";
import type { ListLayout } from "./listLayout.js";
import { MessageRow, OutgoingRow } from "./MessageRow.js";
import { marksOf } from "./marks.js";
import { buildRows, messageKey, type Row } from "./rows.js";
import { type Anchor, useWindowedList } from "./useWindowedList.js";
import { isAttending } from "./visibility.js";

interface Props {
  state: RoomState;
  outgoing: readonly Outgoing[];
  dividerAfter: number | null;
  onReply: (message: Message) => void;
  onEdit: (message: Message) => void;
}

const ESTIMATES: Record<Row["kind"], number> = {
  begin: 56,
  older: 120,
  day: 44,
  divider: 32,
  message: 46,
  outgoing: 46,
};
const LOAD_AHEAD_PX = 900;
const JUMP_OFFSET_PX = 120;
const JUMP_PAGES = 60;

export function MessageList({ state, outgoing, dividerAfter, onReply, onEdit }: Props) {
  const { room, messages, hasOlder } = state;
  const rows = useMemo(
    () => buildRows({ messages, outgoing, hasOlder, dividerAfter, me: me() }),
    [messages, outgoing, hasOlder, dividerAfter],
  );
  const keys = useMemo(() => rows.map((row) => row.key), [rows]);
  const marks = useMemo(() => marksOf(state, me()), [state]);
  const byId = useMemo(() => new Map(messages.map((message) => [message.id, message])), [messages]);
  const shown = useRef({ rows, hasOlder });
  shown.current = { rows, hasOlder };
  const [flash, setFlash] = useState("");
  const seen = useRef(0);
  const [dividerAbove, setDividerAbove] = useState(false);

  const onView = (top: number, bottom: number, layout: ListLayout) => {
    seen.current = lastSeq(shown.current.rows, layout, bottom);
    markSeen(room.id, seen.current);
    setDividerAbove(isAbove(layout, top, messages, dividerAfter));
    if (top < LOAD_AHEAD_PX && shown.current.hasOlder) attempt(client.value?.rooms.loadOlder(room.id));
  };
  const list = useWindowedList({
    keys,
    estimate: (i) => ESTIMATES[shown.current.rows[i]?.kind ?? "message"],
    initial: initialAnchor(keys),
    canHold: (key) => key.includes("/"),
    onView,
  });

  const attending = isAttending.value;
  useEffect(() => markSeen(room.id, seen.current), [attending, room.last_seq]);
  useEffect(() => {
    // What the user just sent is what they want to see.
    if (outgoing.length > 0) list.hold("end");
  }, [outgoing.at(-1)?.client_id]);

  const jumpTo = async (find: () => string | undefined) => {
    const key = await loadUntil(room.id, find);
    if (key === undefined) return;
    list.hold({ key, offset: JUMP_OFFSET_PX });
    setFlash(key);
    setTimeout(() => setFlash(""), 1500);
  };
  const jumpToMessage = (id: string) =>
    jumpTo(() => {
      const found = client.value?.rooms.get(room.id)?.messages.find((message) => message.id === id);
      return found && messageKey(found.sender_id, found.client_id);
    });
  const jumpToDivider = () =>
    jumpTo(() => {
      const now = client.value?.rooms.get(room.id)?.messages ?? [];
      return (now[0]?.seq ?? 1) <= (dividerAfter ?? 0) + 1 ? "divider" : undefined;
    });

  const unread = unreadOf(state);
  return (
    <div class="messages-frame">
      <div class="messages" ref={list.scroller} role="region" aria-label={t().chat.messages} tabIndex={0}>
        <div
          class="messages-rows"
          style={{ paddingBlockStart: `${list.above}px`, paddingBlockEnd: `${list.below}px` }}
        >
          {rows.slice(list.start, list.end).map((row) => (
            <div
              class={`row row-${row.kind} ${row.key === flash ? "flash" : ""}`}
              data-row-key={row.key}
              key={row.key}
            >
              <RowView
                row={row}
                state={state}
                marks={marks}
                replied={
                  row.kind === "message"
                    ? row.message.reply_to
                    : row.kind === "outgoing"
                      ? row.entry.reply_to
                      : undefined
                }
                byId={byId}
                onReply={onReply}
                onEdit={onEdit}
                onJump={(id) => attempt(jumpToMessage(id))}
              />
            </div>
          ))}
        </div>
      </div>
      {dividerAbove && (
        <button type="button" class="jump jump-unread" onClick={() => attempt(jumpToDivider())}>
          <ArrowUp size={14} aria-hidden="true" />
          {t().chat.jumpUnread(Math.max(1, room.last_seq - (dividerAfter ?? 0)))}
        </button>
      )}
      {!list.atEnd && (
        <button
          type="button"
          class="jump jump-latest"
          aria-label={t().chat.jumpLatest}
          title={t().chat.jumpLatest}
          data-testid="jump-latest"
          onClick={() => list.hold("end")}
        >
          <ArrowDown size={18} aria-hidden="true" />
          {unread > 0 && <span class="badge">{unread}</span>}
        </button>
      )}
    </div>
  );
}

interface RowProps {
  row: Row;
  state: RoomState;
  marks: ReturnType<typeof marksOf>;
  replied: string | undefined;
  byId: ReadonlyMap<string, Message>;
  onReply: (message: Message) => void;
  onEdit: (message: Message) => void;
  onJump: (messageId: string) => void;
}

function RowView({ row, state, marks, replied, byId, onReply, onEdit, onJump }: RowProps) {
  const words = t().chat;
  const quoted = replied === undefined ? undefined : (byId.get(replied) ?? replied);
  switch (row.kind) {
    case "begin":
      return <p class="begin">{state.messages.length > 0 ? words.begin : ""}</p>;
    case "older":
      return <OlderSkeleton />;
    case "day":
      return (
        <p class="day-chip" title={exactTime(row.at)}>
          <span>{dayName(row.at)}</span>
        </p>
      );
    case "divider":
      return (
        <p class="divider" role="separator">
          <span>{words.newDivider}</span>
        </p>
      );
    case "outgoing":
      return <OutgoingRow entry={row.entry} grouping={row.grouping} quoted={quoted} onJump={onJump} />;
    case "message":
      return (
        <MessageRow
          message={row.message}
          grouping={row.grouping}
          room={state.room}
          marks={marks}
          quoted={quoted}
          onReply={onReply}
          onEdit={onEdit}
          onJump={onJump}
        />
      );
  }
}

function OlderSkeleton() {
  return (
    <div class="older" role="status" aria-label={t().common.loading}>
      <span class="skeleton skeleton-bubble" style={{ width: "46%" }} />
      <span class="skeleton skeleton-bubble own" style={{ width: "34%" }} />
    </div>
  );
}

function initialAnchor(keys: readonly string[]): Anchor {
  return keys.includes("divider") ? { key: "divider", offset: JUMP_OFFSET_PX } : "end";
}

function isAbove(
  layout: ListLayout,
  top: number,
  messages: readonly Message[],
  after: number | null,
): boolean {
  if (after === null) return false;
  const index = layout.indexOf("divider");
  const isLoaded = (messages[0]?.seq ?? 1) <= after + 1;
  return isLoaded ? index >= 0 && layout.top(index) < top : true;
}

/** The greatest seq whose row ends above the bottom of the view. */
function lastSeq(rows: readonly Row[], layout: ListLayout, bottom: number): number {
  let index = layout.at(bottom);
  if (layout.top(index + 1) > bottom + 8) index--;
  for (; index >= 0; index--) {
    const row = rows[index];
    if (row?.kind === "message") return row.message.seq;
  }
  return 0;
}

function markSeen(roomId: string, seq: number): void {
  if (isAttending.value && seq > 0) client.value?.markRead(roomId, seq);
}

/** Page back until `find` has an answer. */
async function loadUntil(roomId: string, find: () => string | undefined): Promise<string | undefined> {
  for (let page = 0; page < JUMP_PAGES; page++) {
    const found = find();
    if (found !== undefined) return found;
    if (!(await client.value?.rooms.loadOlder(roomId))) return find();
  }
  return undefined;
}
