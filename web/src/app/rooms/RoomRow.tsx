import { AtSign } from "lucide-preact";
import { isMentioned, type RoomState, unreadOf } from "../../client/index.js";
import { t } from "../../i18n/index.js";
import { exactTime, shortTime } from "../format.js";
import { readDraft } from "../prefs.js";
import { goToRoom, roomId, roomPath } from "../route.js";
import { me, person, typingIn } from "../store.js";
import { RoomAvatar } from "../ui/Avatar.js";
import { TypingDots } from "../ui/TypingDots.js";
import { preview, roomTitle } from "./roomText.js";

interface Props {
  state: RoomState;
  /** The one row that Tab reaches; arrow keys reach the others. */
  tabbable: boolean;
}

export function RoomRow({ state, tabbable }: Props) {
  const { room } = state;
  const current = roomId.value === room.id;
  const unread = unreadOf(state);
  const at = room.last_message?.created_at ?? room.created_at;
  const open = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    goToRoom(room.id);
  };
  return (
    <a
      href={roomPath(room.id)}
      class={`room-row ${current ? "current" : ""} ${unread > 0 ? "unread" : ""}`}
      aria-current={current ? "page" : undefined}
      tabIndex={tabbable ? 0 : -1}
      data-testid="room-row"
      data-room-id={room.id}
      onClick={open}
    >
      <RoomAvatar room={room} />
      <span class="room-main">
        <span class="room-top">
          <span class="room-title" dir="auto">
            {roomTitle(room)}
          </span>
          <time dateTime={at} title={exactTime(at)}>
            {shortTime(at)}
          </time>
        </span>
        <span class="room-bottom">
          <LastLine state={state} current={current} />
          {unread > 0 && (
            <Badges unread={unread} mentioned={isMentioned(state)} quiet={room.me?.notify === "none"} />
          )}
        </span>
      </span>
    </a>
  );
}

function LastLine({ state, current }: { state: RoomState; current: boolean }) {
  const { room } = state;
  const nameOf = (id: string) => person(id)?.name ?? "";
  const draft = current ? "" : readDraft(me(), room.id);
  if (typingIn(room.id).length > 0) {
    return (
      <span class="room-preview typing">
        <TypingDots />
      </span>
    );
  }
  if (draft !== "") {
    return (
      <span class="room-preview" dir="auto">
        <em>{t().rooms.draft}:</em> {draft}
      </span>
    );
  }
  return (
    <span class="room-preview" dir="auto">
      {room.last_message ? preview(room.last_message, me(), room, nameOf) : t().rooms.kind[room.kind]}
    </span>
  );
}

function Badges({ unread, mentioned, quiet }: { unread: number; mentioned: boolean; quiet: boolean }) {
  const words = t().rooms;
  return (
    <span class="badges">
      {mentioned && (
        <span class="badge badge-mention" title={words.mentioned}>
          <AtSign size={12} strokeWidth={2.5} aria-label={words.mentioned} />
        </span>
      )}
      <span
        class={`badge ${mentioned ? "badge-mention" : ""} ${quiet ? "badge-quiet" : ""}`}
        data-testid="unread-badge"
        aria-label={words.unread(unread)}
      >
        {unread > 999 ? "999+" : unread}
      </span>
    </span>
  );
}
