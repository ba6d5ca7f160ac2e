import { Check, Pencil, Reply, SendHorizontal, X } from "lucide-preact";
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { t } from "../../i18n/index.js";
import { roomTitle } from "../rooms/roomText.js";
import { bodyLimit, client, person } from "../store.js";
import { plainText } from "../text/markdown.js";
import { matching, type Person } from "../text/mentions.js";
import { IconButton } from "../ui/IconButton.js";
import { MentionPicker } from "./MentionPicker.js";
import { type Intent, useWriting, type Writing } from "./useWriting.js";

interface Props extends Writing {
  onEditLast: () => void;
}

const MAX_LINES_PX = 6 * 21 + 18;

export function Composer({ onEditLast, ...writing }: Props) {
  const { room, people, intent, onDone } = writing;
  const words = t().composer;
  const { input, value, query, editing, change, pick, submit, dropQuery } = useWriting(writing);
  const [picked, setPicked] = useState(0);
  const found = query ? matching(people, query.text) : [];
  const over = Array.from(value).length - bodyLimit.value;
  const sendable = value.trim() !== "" && over <= 0;
  useLayoutEffect(() => fitHeight(input.current), [value]);
  useEffect(() => setPicked(0), [query?.text]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (found.length > 0 && pickByKey(event, found, picked, setPicked, pick)) return;
    const act = keyAction(event, { query: query !== null, intent: intent !== null, empty: value === "" });
    if (act === null) return;
    event.preventDefault();
    event.stopPropagation();
    if (act === "send" && sendable) submit();
    else if (act === "editLast") onEditLast();
    else if (act === "dropQuery") dropQuery();
    else if (act === "leave") onDone();
  };

  return (
    <footer class="composer">
      {intent && <IntentBar intent={intent} onLeave={onDone} />}
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

type KeyAction = "send" | "editLast" | "dropQuery" | "leave";

/** What a key does in the text field; null leaves it to the browser. On touch screens Enter breaks the line. */
function keyAction(
  { key, shiftKey, altKey }: KeyboardEvent,
  now: { query: boolean; intent: boolean; empty: boolean },
): KeyAction | null {
  if (key === "Escape" && now.query) return "dropQuery";
  if (key === "Escape" && now.intent) return "leave";
  if (key === "Enter" && !shiftKey && !matchMedia("(pointer: coarse)").matches) return "send";
  if (key === "ArrowUp" && !altKey && now.empty && !now.intent) return "editLast";
  return null;
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
