import { useEffect, useRef, useState } from "preact/hooks";
import type { Message, Room } from "../../client/index.js";
import { readDraft, writeDraft } from "../prefs.js";
import { client, me, sayError } from "../store.js";
import { mentionAt, mentionedIn, type Person, type Query, withMention } from "../text/mentions.js";

/** What the composer is for right now, beyond writing something new. */
export type Intent = { readonly kind: "reply" | "edit"; readonly message: Message } | null;

export interface Writing {
  readonly room: Room;
  readonly people: readonly Person[];
  readonly intent: Intent;
  readonly onDone: () => void;
  readonly onSent: () => void;
}

/** The text being written: draft, reply or edit, with the mention at the caret. */
export function useWriting({ room, people, intent, onDone, onSent }: Writing) {
  const input = useRef<HTMLTextAreaElement>(null);
  const [value, setValue] = useState(() => readDraft(me(), room.id));
  const [query, setQuery] = useState<Query | null>(null);
  const editing = intent?.kind === "edit" ? intent.message : null;

  useEffect(() => {
    if (intent) input.current?.focus();
    if (intent?.kind !== "edit") return;
    setValue(intent.message.body);
    // What was being written before comes back after the edit.
    return () => setValue(value);
  }, [intent]);
  useEffect(() => {
    if (!editing) writeDraft(me(), room.id, value);
  }, [value]);
  useEffect(() => () => client.value?.typing.stopped(room.id), []);

  const change = (text: string, caret: number) => {
    setValue(text);
    setQuery(mentionAt(text, caret));
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
    const body = value.trim();
    // An edit that is refused stays in the composer, so that nothing typed is lost.
    if (editing) void client.value?.edit(editing, body).then(onDone, sayError);
    else send(body);
  };
  const send = (body: string) => {
    client.value?.typing.stopped(room.id);
    const reply = intent ? { reply_to: intent.message.id } : {};
    client.value?.outbox.send({ room_id: room.id, body, mentions: mentionedIn(body, people), ...reply });
    setValue("");
    setQuery(null);
    onDone();
    onSent();
    input.current?.focus();
  };
  return { input, value, query, editing, change, pick, submit, dropQuery: () => setQuery(null) };
}
