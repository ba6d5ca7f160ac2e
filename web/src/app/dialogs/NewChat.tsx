import { SearchX, X } from "lucide-preact";
import { useState } from "preact/hooks";
import type { User } from "../../client/index.js";
import { t } from "../../i18n/index.js";
import { openDirect, openRoom } from "../actions.js";
import { PersonAvatar } from "../ui/Avatar.js";
import { Empty } from "../ui/Empty.js";
import { RoomSkeleton } from "../ui/Skeleton.js";
import { DialogFrame } from "./Dialog.js";
import { useUserSearch } from "./useUserSearch.js";

export function NewChat() {
  const words = t().newChat;
  const [group, setGroup] = useState(false);
  return (
    <DialogFrame title={group ? words.group : words.title}>
      <div class="segments wide" role="tablist">
        <button type="button" role="tab" aria-selected={!group} onClick={() => setGroup(false)}>
          {words.person}
        </button>
        <button
          type="button"
          role="tab"
          aria-selected={group}
          data-testid="new-group"
          onClick={() => setGroup(true)}
        >
          {words.group}
        </button>
      </div>
      {group ? <NewGroup /> : <PickPerson onPick={(user) => openDirect(user.id)} chosen={[]} />}
    </DialogFrame>
  );
}

function NewGroup() {
  const words = t().newChat;
  const [title, setTitle] = useState("");
  const [chosen, setChosen] = useState<readonly User[]>([]);
  const ready = title.trim() !== "" && chosen.length > 0;
  const toggle = (user: User) =>
    setChosen((now) =>
      now.some(({ id }) => id === user.id) ? now.filter(({ id }) => id !== user.id) : [...now, user],
    );
  const create = (event: Event) => {
    event.preventDefault();
    if (ready) void openRoom({ kind: "group", title: title.trim(), member_ids: chosen.map(({ id }) => id) });
  };
  return (
    <form class="new-group" onSubmit={create}>
      <label class="field">
        <span>{words.name}</span>
        <input
          type="text"
          value={title}
          maxLength={200}
          dir="auto"
          data-testid="group-title"
          onInput={(event) => setTitle(event.currentTarget.value)}
        />
      </label>
      {chosen.length > 0 && (
        <ul class="chosen" aria-label={words.members}>
          {chosen.map((user) => (
            <li key={user.id}>
              <button type="button" aria-label={words.remove(user.name)} onClick={() => toggle(user)}>
                {user.name} <X size={14} aria-hidden="true" />
              </button>
            </li>
          ))}
        </ul>
      )}
      <PickPerson onPick={toggle} chosen={chosen} />
      <button type="submit" class="button primary" disabled={!ready} data-testid="group-create">
        {words.create}
      </button>
    </form>
  );
}

function PickPerson({ onPick, chosen }: { onPick: (user: User) => void; chosen: readonly User[] }) {
  const words = t().newChat;
  const [query, setQuery] = useState("");
  const { users, failure } = useUserSearch(query);
  return (
    <div class="pick-person">
      <input
        type="search"
        value={query}
        placeholder={words.search}
        aria-label={words.search}
        autocomplete="off"
        autofocus
        data-testid="user-search"
        onInput={(event) => setQuery(event.currentTarget.value)}
        onKeyDown={(event) => {
          const first = users?.[0];
          if (event.key !== "Enter") return;
          event.preventDefault();
          if (first) onPick(first);
        }}
      />
      <div class="results" aria-busy={users === null}>
        {users === null && <RoomSkeleton />}
        {users?.length === 0 && (
          <Empty icon={SearchX} title={failure || words.none} lead={failure ? "" : words.noneLead} />
        )}
        {users?.map((user) => (
          <UserRow
            user={user}
            chosen={chosen.some(({ id }) => id === user.id)}
            onPick={onPick}
            key={user.id}
          />
        ))}
      </div>
    </div>
  );
}

function UserRow({ user, chosen, onPick }: { user: User; chosen: boolean; onPick: (user: User) => void }) {
  return (
    <button
      type="button"
      class={`option ${chosen ? "picked" : ""}`}
      aria-pressed={chosen}
      data-testid="user-result"
      data-user-id={user.id}
      onClick={() => onPick(user)}
    >
      <PersonAvatar userId={user.id} user={user} size={32} presence />
      <span class="member-names">
        <span dir="auto">{user.name}</span>
        <small>{t().details.role[user.role]}</small>
      </span>
    </button>
  );
}
