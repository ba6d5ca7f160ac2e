import { ArrowLeft, PanelRight } from "lucide-preact";
import type { Room } from "../../client/index.js";
import { t } from "../../i18n/index.js";
import { exactTime, relativeTime } from "../format.js";
import { roomTitle } from "../rooms/roomText.js";
import { goToList } from "../route.js";
import { detailsOpen, presenceOf } from "../store.js";
import { RoomAvatar } from "../ui/Avatar.js";
import { IconButton } from "../ui/IconButton.js";

export function ChatHeader({ room }: { room: Room }) {
  const words = t().chat;
  return (
    <header class="pane-head chat-head">
      <IconButton icon={ArrowLeft} label={words.back} class="back" data-testid="back" onClick={goToList} />
      <button type="button" class="chat-title" onClick={toggleDetails} aria-expanded={detailsOpen.value}>
        <RoomAvatar room={room} size={32} />
        <span class="chat-names">
          <strong dir="auto">{roomTitle(room)}</strong>
          <Subtitle room={room} />
        </span>
      </button>
      <IconButton
        icon={PanelRight}
        label={words.details}
        aria-pressed={detailsOpen.value}
        onClick={toggleDetails}
      />
    </header>
  );
}

function toggleDetails(): void {
  detailsOpen.value = !detailsOpen.value;
}

function Subtitle({ room }: { room: Room }) {
  if (!room.peer) {
    const kind = room.kind === "group" ? "" : `${t().rooms.kind[room.kind]} · `;
    return <span>{kind + t().chat.members(room.member_count)}</span>;
  }
  return <PresenceText userId={room.peer.id} />;
}

export function PresenceText({ userId }: { userId: string }) {
  const presence = presenceOf(userId);
  const words = t().presence;
  if (presence?.status === "offline" && presence.last_seen_at) {
    return (
      <span title={exactTime(presence.last_seen_at)}>
        {words.lastSeen(relativeTime(presence.last_seen_at))}
      </span>
    );
  }
  return (
    <span class={`presence-${presence?.status ?? "offline"}`}>{words[presence?.status ?? "offline"]}</span>
  );
}
