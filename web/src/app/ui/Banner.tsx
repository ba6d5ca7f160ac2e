import { useEffect, useState } from "preact/hooks";
import { t } from "../../i18n/index.js";
import { client, online, waitingMessages } from "../store.js";

const PATIENCE_MS = 2000;
const PLEASED_MS = 1500;

type Mood = "silent" | "reconnecting" | "back";

function useMood(): Mood {
  const [mood, setMood] = useState<Mood>("silent");
  const isOnline = online.value;
  useEffect(() => {
    if (!isOnline) {
      const timer = setTimeout(() => setMood("reconnecting"), PATIENCE_MS);
      return () => clearTimeout(timer);
    }
    setMood((before) => (before === "reconnecting" ? "back" : "silent"));
    const timer = setTimeout(() => setMood("silent"), PLEASED_MS);
    return () => clearTimeout(timer);
  }, [isOnline]);
  return mood;
}

/** Silent when well; it lies over the page, so that nothing moves when it comes. */
export function Banner() {
  const mood = useMood();
  const words = t().connection;
  const waiting = waitingMessages.value;
  if (mood === "silent") return <div class="banner-place" role="status" />;
  return (
    <div class="banner-place" role="status">
      <div class={`banner banner-${mood}`} data-testid="connection-banner">
        {mood === "back" ? words.back : words.reconnecting}
        {mood === "reconnecting" && waiting > 0 && <span>{words.waiting(waiting)}</span>}
        {mood === "reconnecting" && (
          <button type="button" onClick={() => client.value?.connection.retryNow()}>
            {words.retry}
          </button>
        )}
      </div>
    </div>
  );
}
