import { X } from "lucide-preact";
import { useEffect, useState } from "preact/hooks";
import type { RoomMember } from "../../client/index.js";
import { asHomeroomError } from "../../client/index.js";
import { sentence, t } from "../../i18n/index.js";
import { PresenceText } from "../chat/ChatHeader.js";
import { fullDate } from "../format.js";
import { openDirect } from "../actions.js";
import { roomTitle } from "../rooms/roomText.js";
import { client, detailsOpen, me, online, person, useRoom } from "../store.js";
import { PersonAvatar, RoomAvatar } from "../ui/Avatar.js";
import { IconButton } from "../ui/IconButton.js";
import { RoomSkeleton } from "../ui/Skeleton.js";

export function Details({ roomId }: { roomId: string }) {
  const state = useRoom(roomId);
  const words = t().details;
  if (!state) return null;
  const { room } = state;
  return (
    <aside class="pane pane-details" aria-label={words.title}>
      <header class="pane-head">
        <h2>{words.title}</h2>
        <IconButton icon={X} label={words.close} onClick={() => (detailsOpen.value = false)} />
      </header>
      <div class="details-body">
        <div class="details-card">
          <RoomAvatar room={room} size={64} />
          <h3 dir="auto">{roomTitle(room)}</h3>
          <p>{room.peer ? words.role[room.peer.role] : t().rooms.kind[room.kind]}</p>
          <p class="quiet">{words.created(fullDate(room.created_at))}</p>
        </div>
        <Members roomId={roomId} count={room.member_count} />
      </div>
    </aside>
  );
}

interface Page {
  readonly members: readonly RoomMember[];
  readonly next?: string | undefined;
}

function useMembers(roomId: string, count: number) {
  const [page, setPage] = useState<Page | null>(null);
  const [failure, setFailure] = useState("");
  const isOnline = online.value;
  const load = (before: Page | null) =>
    client.value?.http.members(roomId, before?.next).then(
      ({ members, next_cursor }) => {
        client.value?.people.learn(members.flatMap(({ user }) => (user ? [user] : [])));
        client.value?.presence.watch(members.map(({ user_id }) => user_id).slice(0, 100));
        setPage({ members: [...(before?.members ?? []), ...members], next: next_cursor });
        setFailure("");
      },
      (cause: unknown) => setFailure(sentence(asHomeroomError(cause).code)),
    );
  useEffect(() => void load(null), [roomId, count, isOnline]);
  useEffect(
    () => client.value?.rooms.events.on("members", ({ room_id }) => room_id === roomId && void load(null)),
    [roomId],
  );
  return { page, failure, more: () => void load(page) };
}

function Members({ roomId, count }: { roomId: string; count: number }) {
  const { page, failure, more } = useMembers(roomId, count);
  const words = t().details;
  if (!page) return failure ? <p class="quiet">{failure}</p> : <RoomSkeleton />;
  return (
    <section aria-label={words.members}>
      <h4>
        {words.members} <span class="quiet">{count}</span>
      </h4>
      <ul class="members">
        {page.members.map((member) => (
          <MemberRow member={member} key={member.user_id} />
        ))}
      </ul>
      {page.next && (
        <button type="button" class="button" onClick={more}>
          {words.more}
        </button>
      )}
    </section>
  );
}

function MemberRow({ member }: { member: RoomMember }) {
  const words = t().details;
  const { user_id, role } = member;
  const name = person(user_id)?.name ?? t().chat.unknown;
  const own = user_id === me();
  return (
    <li>
      <button
        type="button"
        class="member"
        disabled={own}
        title={own ? undefined : words.message(name)}
        onClick={() => openDirect(user_id)}
      >
        <PersonAvatar userId={user_id} size={32} presence />
        <span class="member-names">
          <span dir="auto">
            {name}
            {own && <span class="quiet"> · {t().rooms.you}</span>}
          </span>
          <small>
            <PresenceText userId={user_id} />
          </small>
        </span>
        {role !== "member" && <span class="tag">{words[role]}</span>}
      </button>
    </li>
  );
}
