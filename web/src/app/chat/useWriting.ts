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
  useEffect(() => () => client.value?.typing.stopped(room.id), []);

  const write = (text: string) => {
    setValue(text);
    // At once, not after the next frame: the room may be left by then.
    if (!editing) writeDraft(me(), room.id, text);
  };
  const change = (text: string, caret: number) => {
    write(text);
    setQuery(mentionAt(text, caret));
    if (editing) return;
    if (text.trim() === "") client.value?.typing.stopped(room.id);
    else client.value?.typing.writing(room.id);
  };
  const pick = (chosen: Person | undefined) => {
    if (!query || !chosen) return;
    const [text, caret] = withMention(value, query, chosen.name);
    write(text);
    setQuery(null);
    requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(caret, caret);
    });
  };
  const submit = () => {
    const body = value.trim();
    if (editing) save(editing, body);
    else send(body);
  };
  const save = (message: Message, body: string) => {
    // Left at once: what is typed while the server answers belongs to the next message.
    onDone();
    void client.value?.edit(message, body).catch((error: unknown) => {
      sayError(error);
      setValue((current) => (current.trim() === "" ? body : current));
    });
  };
  const send = (body: string) => {
    client.value?.typing.stopped(room.id);
    const reply = intent ? { reply_to: intent.message.id } : {};
    client.value?.outbox.send({ room_id: room.id, body, mentions: mentionedIn(body, people), ...reply });
    write("");
    setQuery(null);
    onDone();
    onSent();
    input.current?.focus();
  };
  return { input, value, query, editing, change, pick, submit, dropQuery: () => setQuery(null) };
}
