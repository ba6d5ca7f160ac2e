import { t } from "../../i18n/index.js";
import { me, person, typingIn } from "../store.js";
import { TypingDots } from "../ui/TypingDots.js";

/** Always there, so that nothing moves when somebody begins to write. */
export function TypingLine({ roomId }: { roomId: string }) {
  const writers = typingIn(roomId).filter((id) => id !== me());
  return (
    <div class="typing-line" data-testid="typing-line" aria-live="off">
      {writers.length > 0 && (
        <>
          <TypingDots />
          <span dir="auto">{sentenceFor(writers)}</span>
        </>
      )}
    </div>
  );
}

function sentenceFor(writers: readonly string[]): string {
  const words = t().chat;
  const [a = "", b = ""] = writers.map((id) => person(id)?.name ?? words.unknown);
  if (writers.length === 1) return words.typingOne(a);
  return writers.length === 2 ? words.typingTwo(a, b) : words.typingMany(writers.length);
}
