import { SmilePlus } from "lucide-preact";
import type { Message } from "../../client/index.js";
import { t } from "../../i18n/index.js";
import { attempt, client, me, person } from "../store.js";
import { IconButton } from "../ui/IconButton.js";
import { type Anchor, anchorOf } from "../ui/Menu.js";

interface Props {
  message: Message;
  mayReact: boolean;
  onMore: (anchor: Anchor) => void;
}

export function Reactions({ message, mayReact, onMore }: Props) {
  const given = Object.entries(message.reactions).filter(([, users]) => users.length > 0);
  if (given.length === 0 || message.deleted_at) return null;
  return (
    <div class="reactions">
      {given.map(([emoji, users]) => (
        <Chip message={message} emoji={emoji} users={users} mayReact={mayReact} key={emoji} />
      ))}
      {mayReact && (
        <IconButton
          icon={SmilePlus}
          label={t().message.react}
          class="reaction-more"
          onClick={(event) => onMore(anchorOf(event.currentTarget))}
        />
      )}
    </div>
  );
}

interface ChipProps {
  message: Message;
  emoji: string;
  users: string[];
  mayReact: boolean;
}

function Chip({ message, emoji, users, mayReact }: ChipProps) {
  const mine = users.includes(me());
  const names = users
    .map((id) => (id === me() ? t().rooms.you : (person(id)?.name ?? t().chat.unknown)))
    .join(", ");
  const label = t().message.reacted(emoji, names);
  return (
    <button
      type="button"
      class={`reaction ${mine ? "mine" : ""}`}
      disabled={!mayReact}
      aria-pressed={mine}
      aria-label={`${emoji} ${users.length}, ${label}`}
      title={label}
      data-testid="reaction"
      data-emoji={emoji}
      onClick={() => attempt(client.value?.react(message, emoji, !mine))}
    >
      <span>{emoji}</span>
      <span class="count">{users.length}</span>
    </button>
  );
}
