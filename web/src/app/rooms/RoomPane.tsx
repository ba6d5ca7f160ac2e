import { MessageCircle, Moon, Search, SquarePen, Sun } from "lucide-preact";
import { t } from "../../i18n/index.js";
import { chooseTheme, isDark } from "../prefs.js";
import { roomId } from "../route.js";
import { dialog, listed, me, person, roomList } from "../store.js";
import { Empty } from "../ui/Empty.js";
import { IconButton } from "../ui/IconButton.js";
import { RoomSkeleton } from "../ui/Skeleton.js";
import { ProfileButton } from "./Profile.js";
import { RoomRow } from "./RoomRow.js";

export function RoomPane() {
  const words = t();
  return (
    <nav class="pane pane-rooms" aria-label={words.rooms.title}>
      <header class="pane-head">
        <ProfileButton />
        <h1>{words.rooms.title}</h1>
        <IconButton
          icon={isDark() ? Sun : Moon}
          label={words.profile.toggleTheme}
          data-testid="theme-toggle"
          onClick={() => chooseTheme(isDark() ? "light" : "dark")}
        />
        {mayStart() && (
          <IconButton
            icon={SquarePen}
            label={words.newChat.open}
            data-testid="new-chat"
            onClick={() => {
              dialog.value = "newChat";
            }}
          />
        )}
      </header>
      <button type="button" class="search-button" onClick={() => (dialog.value = "palette")}>
        <Search size={16} aria-hidden="true" />
        <span>{words.rooms.search}</span>
        <kbd>Ctrl K</kbd>
      </button>
      <RoomList />
    </nav>
  );
}

function mayStart(): boolean {
  return person(me())?.role !== "viewer";
}

function RoomList() {
  const words = t().rooms;
  const rooms = roomList.value;
  if (!listed.value && rooms.length === 0) return <RoomSkeleton />;
  if (rooms.length === 0) {
    return (
      <Empty icon={MessageCircle} title={words.empty} lead={words.emptyLead}>
        {mayStart() && (
          <button type="button" class="button primary" onClick={() => (dialog.value = "newChat")}>
            {words.start}
          </button>
        )}
      </Empty>
    );
  }
  const hasCurrent = rooms.some(({ room }) => room.id === roomId.value);
  return (
    <div class="room-list" onKeyDown={moveInList}>
      {rooms.map((state, i) => (
        <RoomRow
          state={state}
          tabbable={hasCurrent ? state.room.id === roomId.value : i === 0}
          key={state.room.id}
        />
      ))}
    </div>
  );
}

function moveInList(event: KeyboardEvent): void {
  const rows = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>(".room-row")];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (next === undefined || event.altKey) return;
  event.preventDefault();
  rows[Math.max(0, Math.min(next, rows.length - 1))]?.focus();
}
