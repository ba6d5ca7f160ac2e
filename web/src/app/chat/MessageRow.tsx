import { EllipsisVertical, Reply, RotateCcw, SmilePlus, Trash2 } from "lucide-preact";
import { useState } from "preact/hooks";
import type { Message, Outgoing, Room } from "../../client/index.js";
import { sentence, t } from "../../i18n/index.js";
import { clockTime, exactTime } from "../format.js";
import { mayReact, whySilent } from "../rooms/roomText.js";
import { attempt, client, me, person } from "../store.js";
import { Markdown } from "../text/Markdown.js";
import type { Person } from "../text/mentions.js";
import { hueOf, PersonAvatar } from "../ui/Avatar.js";
import { IconButton } from "../ui/IconButton.js";
import { type Anchor, anchorOf } from "../ui/Menu.js";
import type { Marks } from "./marks.js";
import { MessageMenu } from "./MessageMenu.js";
import { Quote } from "./Quote.js";
import { Reactions } from "./Reactions.js";
import type { Grouping } from "./rows.js";
import { Ticks } from "./Ticks.js";

interface Props {
  message: Message;
  grouping: Grouping;
  room: Room;
  marks: Marks;
  quoted: Message | string | undefined;
  onReply: (message: Message) => void;
  onEdit: (message: Message) => void;
  onJump: (messageId: string) => void;
}

type Open = { kind: "menu" | "emoji"; anchor: Anchor } | null;

export function MessageRow(props: Props) {
  const { message, grouping, room, marks, quoted, onJump } = props;
  const [open, setOpen] = useState<Open>(null);
  if (message.kind === "system") return <p class="system-line">{message.body}</p>;
  const own = message.sender_id === me();
  const name = person(message.sender_id)?.name ?? t().chat.unknown;
  const showsName = grouping.first && !own && room.kind !== "direct";
  const state = own ? marks.stateOf(message.seq) : undefined;
  const openMenu = (event: MouseEvent) => {
    if (message.deleted_at) return;
    event.preventDefault();
    setOpen({ kind: "menu", anchor: { x: event.clientX, y: event.clientY, height: 0 } });
  };
  return (
    <article
      class={bubbleClass(own, grouping, open !== null)}
      data-testid="message"
      data-message-id={message.id}
      data-state={state}
      aria-label={`${own ? t().rooms.you : name}, ${clockTime(message.created_at)}`}
    >
      {!own && room.kind !== "direct" && (
        <span class="bubble-avatar">
          {grouping.last && <PersonAvatar userId={message.sender_id} size={32} />}
        </span>
      )}
      <div class="bubble-column">
        {showsName && (
          <span class="bubble-name" style={{ "--hue": String(hueOf(message.sender_id)) }}>
            {name}
          </span>
        )}
        <div class="bubble-line">
          <div class="bubble" onContextMenu={openMenu} onClick={(event) => tapped(event, openMenu)}>
            {quoted !== undefined && <Quote quoted={quoted} onJump={onJump} />}
            <Body message={message} />
            <span class="bubble-meta">
              {message.edited_at && !message.deleted_at && (
                <span title={exactTime(message.edited_at)}>{t().chat.edited}</span>
              )}
              <time dateTime={message.created_at} title={exactTime(message.created_at)}>
                {clockTime(message.created_at)}
              </time>
              {state && <Ticks state={state} detail={readDetail(marks, message.seq)} />}
            </span>
          </div>
          {!message.deleted_at && <Actions {...props} onOpen={setOpen} />}
        </div>
        <Reactions
          message={message}
          mayReact={mayReact(room, person(me()))}
          onMore={(anchor) => setOpen({ kind: "emoji", anchor })}
        />
      </div>
      {open && <MessageMenu {...props} {...open} onClose={() => setOpen(null)} />}
    </article>
  );
}

function bubbleClass(own: boolean, { first, last }: Grouping, active: boolean): string {
  return ["message", own && "own", first && "first", last && "last", active && "active"]
    .filter(Boolean)
    .join(" ");
}

/** On touch screens there is no hovering: a tap on the bubble opens what a pointer finds beside it. */
function tapped(event: MouseEvent, openMenu: (event: MouseEvent) => void): void {
  const onControl = event.target instanceof Element && event.target.closest("a, button, pre");
  if (!onControl && matchMedia("(hover: none)").matches) openMenu(event);
}

function readDetail(marks: Marks, seq: number): string | undefined {
  const readers = marks.readers(seq);
  return readers && readers.of > 1 && readers.read > 0
    ? t().state.readBy(readers.read, readers.of)
    : undefined;
}

function Body({ message }: { message: Message }) {
  if (message.deleted_at) return <p class="bubble-deleted">{t().chat.deleted}</p>;
  return <Markdown body={message.body} mentions={peopleOf(message.mentions)} />;
}

export function peopleOf(ids: readonly string[]): Person[] {
  return ids.map(person).filter((user) => user !== undefined);
}

function Actions({ message, room, onReply, onOpen }: Props & { onOpen: (open: Open) => void }) {
  const words = t().message;
  const open = (kind: "menu" | "emoji") => (event: MouseEvent) =>
    onOpen({ kind, anchor: anchorOf(event.currentTarget as Element) });
  return (
    <div class="bubble-actions">
      {mayReact(room, person(me())) && (
        <IconButton icon={SmilePlus} label={words.react} aria-haspopup="dialog" onClick={open("emoji")} />
      )}
      {whySilent(room, person(me())) === null && (
        <IconButton icon={Reply} label={words.reply} onClick={() => onReply(message)} />
      )}
      <IconButton
        icon={EllipsisVertical}
        label={words.menu}
        aria-haspopup="menu"
        data-testid="message-menu"
        onClick={open("menu")}
      />
    </div>
  );
}

interface OutgoingProps {
  entry: Outgoing;
  grouping: Grouping;
  quoted: Message | string | undefined;
  onJump: (messageId: string) => void;
}

/** A message that the room does not show yet. */
export function OutgoingRow({ entry, grouping, quoted, onJump }: OutgoingProps) {
  const failed = entry.state === "failed";
  const state = entry.state === "stored" ? "sent" : entry.state;
  const retry = () => client.value?.outbox.retry(entry.client_id);
  return (
    <article
      class={bubbleClass(true, grouping, false)}
      data-testid="message"
      data-message-id={entry.client_id}
      data-state={state}
      aria-label={`${t().rooms.you}, ${t().state[state]}`}
    >
      <div class="bubble-column">
        <div class="bubble-line">
          <div class={`bubble ${failed ? "failed" : ""}`} onClick={failed ? retry : undefined}>
            {quoted !== undefined && <Quote quoted={quoted} onJump={onJump} />}
            <Markdown body={entry.body} mentions={peopleOf(entry.mentions ?? [])} />
            <span class="bubble-meta">
              <time>{clockTime(entry.queued_at)}</time>
              <Ticks state={state} />
            </span>
          </div>
        </div>
        {failed && <Failure entry={entry} onRetry={retry} />}
      </div>
    </article>
  );
}

function Failure({ entry, onRetry }: { entry: Outgoing; onRetry: () => void }) {
  const words = t().message;
  return (
    <p class="failure">
      <span>{sentence(entry.error ?? "other")}</span>
      <button type="button" onClick={onRetry}>
        <RotateCcw size={14} aria-hidden="true" /> {words.retry}
      </button>
      <button
        type="button"
        onClick={() => attempt(Promise.resolve(client.value?.outbox.discard(entry.client_id)))}
      >
        <Trash2 size={14} aria-hidden="true" /> {words.discard}
      </button>
    </p>
  );
}
