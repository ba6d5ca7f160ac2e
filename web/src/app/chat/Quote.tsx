import type { Message } from "../../client/index.js";
import { t } from "../../i18n/index.js";
import { person } from "../store.js";
import { plainText } from "../text/markdown.js";
import { hueOf } from "../ui/Avatar.js";

/** The message that is answered, or its id where it is not loaded. A click leads to it. */
export function Quote({ quoted, onJump }: { quoted: Message | string; onJump: (messageId: string) => void }) {
  const words = t().chat;
  const known = typeof quoted === "string" ? undefined : quoted;
  const id = typeof quoted === "string" ? quoted : quoted.id;
  return (
    <button
      type="button"
      class="quote"
      style={{ "--hue": String(hueOf(known?.sender_id ?? "")) }}
      onClick={() => onJump(id)}
    >
      <strong>{known ? (person(known.sender_id)?.name ?? words.unknown) : words.originalGone}</strong>
      {known && <span dir="auto">{known.deleted_at ? words.deleted : plainText(known.body)}</span>}
    </button>
  );
}
