import { Hash, Megaphone, Users, LifeBuoy, GraduationCap } from "lucide-preact";
import type { Room, User } from "../../client/index.js";
import { t } from "../../i18n/index.js";
import { person, presenceOf } from "../store.js";

/** A steady hue from an id (FNV-1a). */
export function hueOf(id: string): number {
  let hash = 0x811c9dc5;
  for (const char of id) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return ((hash >>> 0) % 24) * 15;
}

function initials(name: string): string {
  const words = name
    .replace(/^(mr|mrs|ms|dr|prof)\.?\s+/i, "")
    .split(/\s+/)
    .filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters
    .map((word) => Array.from(word ?? "")[0] ?? "")
    .join("")
    .toLocaleUpperCase();
}

interface PersonProps {
  userId: string;
  user?: User | undefined;
  size?: 24 | 32 | 40 | 64;
  presence?: boolean;
}

export function PersonAvatar({ userId, user, size = 40, presence = false }: PersonProps) {
  const known = user ?? person(userId);
  return (
    <span class={`avatar avatar-${size}`} style={{ "--hue": String(hueOf(userId)) }} aria-hidden="true">
      {known?.avatar_url ? (
        <img src={known.avatar_url} alt="" loading="lazy" />
      ) : (
        // Drawn by the style sheet: as text it would be read, or missed, in the names of buttons.
        <span class="avatar-initials" data-initials={initials(known?.name ?? "?")} />
      )}
      {presence && <PresenceDot userId={userId} />}
    </span>
  );
}

function PresenceDot({ userId }: { userId: string }) {
  const status = presenceOf(userId)?.status ?? "offline";
  return <span class={`dot dot-${status}`} title={t().presence[status]} />;
}

const KIND_ICONS = {
  group: Users,
  session: GraduationCap,
  announcement: Megaphone,
  support: LifeBuoy,
  direct: Hash,
};

export function RoomAvatar({ room, size = 40 }: { room: Room; size?: 24 | 32 | 40 | 64 }) {
  if (room.peer) return <PersonAvatar userId={room.peer.id} user={room.peer} size={size} presence />;
  const Icon = KIND_ICONS[room.kind];
  return (
    <span
      class={`avatar avatar-room avatar-${size}`}
      style={{ "--hue": String(hueOf(room.id)) }}
      aria-hidden="true"
    >
      <Icon size={size / 2} strokeWidth={2} />
    </span>
  );
}
