import { Check, Pencil, Reply, SendHorizontal, X } from "lucide-preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Message, Room } from "../../client/index.js";
import { t } from "../../i18n/index.js";
import { readDraft, writeDraft } from "../prefs.js";
import { roomTitle } from "../rooms/roomText.js";
import { bodyLimit, client, me, person, sayError } from "../store.js";
import { plainText } from "../text/markdown.js";
import { matching, mentionAt, mentionedIn, type Person, type Query, withMention } from "../text/mentions.js";
import { IconButton } from "../ui/IconButton.js";
import { MentionPicker } from "./MentionPicker.js";

export type Intent = { readonly kind: "reply" | "edit"; readonly message: Message } | null;

interface Props {
  room: Room;
  people: readonly Person[];
  intent: Intent;
  onDone: () => void;
  onSent: () => void;
  onEditLast: () => void;
}

const MAX_LINES_PX = 6 * 21 + 18;

export function Composer({ room, people, intent, onDone, onSent, onEditLast }: Props) {
  const words = t().composer;
  const input = useRef<HTMLTextAreaElement>(null);
  const [value, setValue] = useState(() => readDraft(me(), room.id));
  const [query, setQuery] = useState<Query | null>(null);
  const [picked, setPicked] = useState(0);
  const kept = useRef("");
  const editing = intent?.kind === "edit" ? intent.message : null;
  const found = query ? matching(people, query.text) : [];
  const over = Array.from(value).length - bodyLimit.value;
  const sendable = value.trim() !== "" && over <= 0;

  useLayoutEffect(() => fitHeight(input.current), [value]);
  useEffect(() => {
    if (!intent) return;
    if (intent.kind === "edit") {
      kept.current = value;
      setValue(intent.message.body);
    }
    input.current?.focus();
  }, [intent]);
  useEffect(() => {
    if (!editing) writeDraft(me(), room.id, value);
  }, [value]);
  useEffect(() => () => client.value?.typing.stopped(room.id), []);

  const leave = () => {
    if (editing) setValue(kept.current);
    onDone();
  };
  const change = (text: string, caret: number) => {
    setValue(text);
    setQuery(mentionAt(text, caret));
    setPicked(0);
    if (editing) return;
    if (text.trim() === "") client.value?.typing.stopped(room.id);
    else client.value?.typing.writing(room.id);
  };
  const pick = (chosen: Person | undefined) => {
    if (!query || !chosen) return;
    const [text, caret] = withMention(value, query, chosen.name);
    setValue(text);
    setQuery(null);
    requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(caret, caret);
    });
  };
  const submit = () => {
    if (!sendable) return;
    const body = value.trim();
    if (editing) {
      client.value?.edit(editing, body).catch(sayError);
      leave();
      return;
    }
    client.value?.typing.stopped(room.id);
    const reply = intent ? { reply_to: intent.message.id } : {};
    client.value?.outbox.send({ room_id: room.id, body, mentions: mentionedIn(body, people), ...reply });
    setValue("");
    setQuery(null);
    onDone();
    onSent();
    input.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (found.length > 0 && pickByKey(event, found, picked, setPicked, pick)) return;
    if (event.key === "Escape" && query) {
      event.stopPropagation();
      setQuery(null);
    } else if (event.key === "Escape" && intent) {
      event.stopPropagation();
      leave();
    } else if (event.key === "Enter" && !event.shiftKey && !matchMedia("(pointer: coarse)").matches) {
      event.preventDefault();
      submit();
    } else if (event.key === "ArrowUp" && !event.altKey && value === "" && !intent) {
      event.preventDefault();
      onEditLast();
    }
  };

  return (
    <footer class="composer">
      {intent && <IntentBar intent={intent} onLeave={leave} />}
      {found.length > 0 && <MentionPicker people={found} picked={picked} onPick={pick} />}
      <div class="composer-line">
        <textarea
          ref={input}
          rows={1}
          dir="auto"
          value={value}
          placeholder={words.placeholder(roomTitle(room))}
          aria-label={words.label}
          aria-autocomplete="list"
          aria-expanded={found.length > 0}
          aria-activedescendant={found[picked] ? `mention-${found[picked].id}` : undefined}
          data-testid="composer"
          onInput={(event) => change(event.currentTarget.value, event.currentTarget.selectionStart)}
          onKeyDown={onKeyDown}
          onBlur={() => client.value?.typing.stopped(room.id)}
        />
        <IconButton
          icon={editing ? Check : SendHorizontal}
          label={editing ? words.save : words.send}
          class="send"
          disabled={!sendable}
          data-testid="send"
          onClick={submit}
        />
      </div>
      {over > 0 && (
        <p class="composer-over" role="alert">
          {words.tooLong(over)}
        </p>
      )}
    </footer>
  );
}

function pickByKey(
  event: KeyboardEvent,
  found: readonly Person[],
  picked: number,
  setPicked: (index: number) => void,
  pick: (person: Person | undefined) => void,
): boolean {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step !== undefined) setPicked((picked + step + found.length) % found.length);
  else if (event.key === "Enter" || event.key === "Tab") pick(found[picked]);
  else return false;
  event.preventDefault();
  return true;
}

function fitHeight(element: HTMLTextAreaElement | null): void {
  if (!element) return;
  element.style.height = "auto";
  element.style.height = `${Math.min(element.scrollHeight, MAX_LINES_PX)}px`;
}

function IntentBar({ intent, onLeave }: { intent: NonNullable<Intent>; onLeave: () => void }) {
  const words = t().composer;
  const Icon = intent.kind === "reply" ? Reply : Pencil;
  const name = person(intent.message.sender_id)?.name ?? t().chat.unknown;
  return (
    <div class="intent">
      <Icon size={16} aria-hidden="true" />
      <span class="intent-text">
        <strong>{intent.kind === "reply" ? words.replying(name) : words.editing}</strong>
        <span dir="auto">{plainText(intent.message.body)}</span>
      </span>
      <IconButton icon={X} label={words.cancel} onClick={onLeave} />
    </div>
  );
}
