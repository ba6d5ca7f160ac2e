import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import {
  asHomeroomError,
  type Homeroom,
  type RoomState,
  type Status,
  unreadOf,
  type User,
} from "../client/index.js";
import { sentence, t } from "../i18n/index.js";
import { goToList, roomId } from "./route.js";

/** The signed-in person's client; null while nobody is signed in. Set by `session.ts` only. */
export const client = signal<Homeroom | null>(null);
export const status = signal<Status>("stopped");
export const online = computed(() => status.value === "online");

/** Raised when something of their kind changed; what changed is read from the client. */
const versions = {
  rooms: signal(0),
  people: signal(0),
  presence: signal(0),
  typing: signal(0),
  outbox: signal(0),
};

/** Make what is worked out here redraw when something of the kind changes. */
function follow(kind: keyof typeof versions): number {
  return versions[kind].value;
}

const raised = new Set<keyof typeof versions>();

/** Many events of one turn redraw once. */
function raise(kind: keyof typeof versions): void {
  if (raised.size === 0) queueMicrotask(settle);
  raised.add(kind);
}

function settle(): void {
  const kinds = [...raised];
  raised.clear();
  for (const kind of kinds) versions[kind].value++;
}

/** Mirror a client's events into signals. Returns how to stop. */
export function mirror(homeroom: Homeroom): () => void {
  const stops = [
    homeroom.events.on("status", (now) => {
      status.value = now;
    }),
    homeroom.events.on("ready", ({ limits }) => {
      bodyLimit.value = limits.body_chars;
    }),
    homeroom.rooms.events.on("changed", () => raise("rooms")),
    homeroom.rooms.events.on("listed", () => raise("rooms")),
    homeroom.rooms.events.on("removed", ({ room_id, reason }) => {
      // One that was never there explains itself where it would be.
      if (room_id !== roomId.value || reason === "not_found") return;
      goToList();
      say(t().chat.removed);
    }),
    homeroom.people.events.on("changed", () => raise("people")),
    homeroom.presence.events.on("changed", () => raise("presence")),
    homeroom.typing.events.on("changed", () => raise("typing")),
    homeroom.outbox.events.on("changed", () => raise("outbox")),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

export function me(): string {
  return client.value?.userId ?? "";
}

export const roomList: ReadonlySignal<RoomState[]> = computed(() => {
  follow("rooms");
  return client.value?.rooms.list() ?? [];
});

export const listed = computed(() => {
  follow("rooms");
  return client.value?.rooms.listed ?? false;
});

export const unreadTotal = computed(() => {
  const counted = roomList.value.filter(({ room }) => room.me?.notify !== "none");
  return counted.reduce((sum, state) => sum + unreadOf(state), 0);
});

export const waitingMessages = computed(() => {
  follow("outbox");
  return client.value?.outbox.waiting ?? 0;
});

/** A room's state; redraws only when that room changed. */
export function useRoom(roomId: string): RoomState | undefined {
  const state = useMemo(
    () =>
      computed(() => {
        follow("rooms");
        return client.value?.rooms.get(roomId);
      }),
    [roomId],
  );
  return state.value;
}

export function useOutgoing(roomId: string) {
  const version = versions.outbox.value;
  return useMemo(() => client.value?.outbox.of(roomId) ?? [], [roomId, version]);
}

export function typingIn(roomId: string): string[] {
  follow("typing");
  return client.value?.typing.in(roomId) ?? [];
}

export function person(userId: string): User | undefined {
  follow("people");
  return client.value?.people.get(userId);
}

export function presenceOf(userId: string) {
  follow("presence");
  return client.value?.presence.of(userId);
}

export interface Toast {
  readonly text: string;
  readonly tone: "plain" | "error";
}

export const toast = signal<Toast | null>(null);
let toastTimer: ReturnType<typeof setTimeout> | undefined;

export function say(text: string, tone: Toast["tone"] = "plain"): void {
  clearTimeout(toastTimer);
  toast.value = { text, tone };
  toastTimer = setTimeout(() => {
    toast.value = null;
  }, 5000);
}

/** Tell the user what went wrong, and what to do. */
export function sayError(cause: unknown): void {
  say(sentence(asHomeroomError(cause).code), "error");
}

/** Run something that may fail; failures become a message to the user. */
export function attempt(work: Promise<unknown> | undefined): void {
  work?.catch(sayError);
}

export type Dialog = "newChat" | "palette" | "shortcuts";
export const dialog = signal<Dialog | null>(null);
export const detailsOpen = signal(false);

/** Characters in a message, as the server says on connect. */
export const bodyLimit = signal(8000);
