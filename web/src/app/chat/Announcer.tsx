import { useEffect, useRef, useState } from "preact/hooks";
import type { RoomState } from "../../client/index.js";
import { t } from "../../i18n/index.js";
import { me, person } from "../store.js";
import { plainText } from "../text/markdown.js";

/** Reads new messages of the open room out. The list itself cannot: rows come and go there while scrolling. */
export function Announcer({ state }: { state: RoomState }) {
  const last = state.messages.at(-1);
  const heard = useRef(last?.seq ?? 0);
  const [text, setText] = useState("");
  useEffect(() => {
    if (!last || last.seq <= heard.current) return;
    heard.current = last.seq;
    if (last.sender_id === me()) return;
    setText(`${person(last.sender_id)?.name ?? t().chat.unknown}: ${plainText(last.body)}`);
  }, [last?.seq]);
  return (
    <p class="only-heard" role="log" aria-live="polite">
      {text}
    </p>
  );
}
