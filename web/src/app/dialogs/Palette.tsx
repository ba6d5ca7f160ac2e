import { Keyboard, Languages, LogOut, type LucideIcon, Moon, SquarePen, Sun } from "lucide-preact";
import { useState } from "preact/hooks";
import type { RoomState, User } from "../../client/index.js";
import { chooseLocale, LOCALES, type Locale, t } from "../../i18n/index.js";
import { openDirect } from "../actions.js";
import { chooseTheme, isDark } from "../prefs.js";
import { roomTitle } from "../rooms/roomText.js";
import { goToRoom } from "../route.js";
import { signOut } from "../session.js";
import { attempt, dialog, roomList } from "../store.js";
import { PersonAvatar, RoomAvatar } from "../ui/Avatar.js";
import { DialogFrame } from "./Dialog.js";
import { useUserSearch } from "./useUserSearch.js";

interface Choice {
  readonly key: string;
  readonly section: "rooms" | "people" | "actions";
  readonly label: string;
  readonly icon: preact.ComponentChild;
  readonly run: () => void;
}

const ROOMS_SHOWN = 7;
const PEOPLE_SHOWN = 5;

export function Palette() {
  const words = t().palette;
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const { users } = useUserSearch(query);
  const choices = [...roomChoices(query), ...peopleChoices(query, users ?? []), ...actionChoices(query)];
  const chosen = Math.min(at, Math.max(0, choices.length - 1));
  const run = (choice: Choice | undefined) => {
    dialog.value = null;
    choice?.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) setAt((chosen + step + choices.length) % Math.max(1, choices.length));
    else if (event.key === "Enter") run(choices[chosen]);
    else return;
    event.preventDefault();
  };
  return (
    <DialogFrame title={words.title} kind="palette">
      <input
        class="palette-input"
        type="text"
        value={query}
        placeholder={words.placeholder}
        aria-label={words.title}
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={choices[chosen] && `palette-${choices[chosen].key}`}
        autocomplete="off"
        autofocus
        data-testid="palette-input"
        onInput={(event) => {
          setQuery(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div class="palette-list" id="palette-list" role="listbox" aria-label={words.title}>
        {choices.length === 0 && <p class="quiet">{words.none}</p>}
        {choices.map((choice, i) => (
          <>
            {choice.section !== choices[i - 1]?.section && (
              <p class="palette-section">{words[choice.section]}</p>
            )}
            <div
              class={`option ${i === chosen ? "picked" : ""}`}
              id={`palette-${choice.key}`}
              role="option"
              aria-selected={i === chosen}
              onPointerMove={() => setAt(i)}
              onClick={() => run(choice)}
              key={choice.key}
            >
              {choice.icon}
              <span dir="auto">{choice.label}</span>
            </div>
          </>
        ))}
      </div>
    </DialogFrame>
  );
}

function matches(label: string, query: string): boolean {
  const folded = label.toLocaleLowerCase();
  return query
    .toLocaleLowerCase()
    .split(/\s+/)
    .every((word) => folded.includes(word));
}

function roomChoices(query: string): Choice[] {
  const asChoice = ({ room }: RoomState): Choice => ({
    key: room.id,
    section: "rooms",
    label: roomTitle(room),
    icon: <RoomAvatar room={room} size={24} />,
    run: () => goToRoom(room.id),
  });
  return roomList.value
    .filter(({ room }) => matches(roomTitle(room), query))
    .slice(0, ROOMS_SHOWN)
    .map(asChoice);
}

function peopleChoices(query: string, users: readonly User[]): Choice[] {
  const known = new Set(roomList.value.map(({ room }) => room.peer?.id));
  const fresh = users.filter(({ id }) => !known.has(id));
  return (query === "" ? [] : fresh).slice(0, PEOPLE_SHOWN).map((user) => ({
    key: `user-${user.id}`,
    section: "people",
    label: user.name,
    icon: <PersonAvatar userId={user.id} user={user} size={24} />,
    run: () => openDirect(user.id),
  }));
}

function actionChoices(query: string): Choice[] {
  const words = t();
  const action = (key: string, Icon: LucideIcon, label: string, run: () => void): Choice => ({
    key,
    section: "actions",
    label,
    icon: (
      <span class="option-icon">
        <Icon size={16} aria-hidden="true" />
      </span>
    ),
    run,
  });
  const show = (next: "newChat" | "shortcuts") => () => {
    dialog.value = next;
  };
  const languages = (Object.keys(LOCALES) as Locale[]).map((each) =>
    action(`locale-${each}`, Languages, `${words.profile.language}: ${LOCALES[each]}`, () =>
      attempt(chooseLocale(each)),
    ),
  );
  return [
    action("new-chat", SquarePen, words.newChat.open, show("newChat")),
    action("theme", isDark() ? Sun : Moon, words.profile.toggleTheme, () =>
      chooseTheme(isDark() ? "light" : "dark"),
    ),
    action("shortcuts", Keyboard, words.profile.shortcuts, show("shortcuts")),
    ...languages,
    action("sign-out", LogOut, words.profile.signOut, () => attempt(signOut())),
  ].filter(({ label }) => matches(label, query));
}
