import { signal } from "@preact/signals";

/** The room that the address names, or null for the list alone. */
export const roomId = signal<string | null>(null);

const ROOM = /^\/rooms\/([^/]+)$/;

function read(): void {
  const hit = ROOM.exec(location.pathname);
  roomId.value = hit?.[1] ? decodeURIComponent(hit[1]) : null;
}

export function roomPath(id: string): string {
  return `/rooms/${encodeURIComponent(id)}`;
}

export function startRouting(): void {
  read();
  addEventListener("popstate", read);
}

/** Show a room. Between rooms the entry is replaced, so that Back leads to the list and not through every room seen. */
export function goToRoom(id: string): void {
  if (roomId.value === id) return;
  const state = { depth: 1 };
  if (roomId.value === null) history.pushState(state, "", roomPath(id));
  else history.replaceState(history.state ?? state, "", roomPath(id));
  read();
}

export function goToList(): void {
  if (roomId.value === null) return;
  const cameFromList = (history.state as { depth?: number } | null)?.depth === 1;
  if (cameFromList) history.back();
  else {
    history.replaceState(null, "", "/");
    read();
  }
}
