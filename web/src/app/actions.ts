import type { RoomOpen } from "../client/index.js";
import { goToRoom, roomId } from "./route.js";
import { client, dialog, roomList, sayError } from "./store.js";

/** Open or make a room and show it. */
export async function openRoom(request: RoomOpen): Promise<void> {
  const id = await client.value?.rooms.create(request).catch((cause: unknown) => {
    sayError(cause);
    return undefined;
  });
  if (id === undefined) return;
  dialog.value = null;
  goToRoom(id);
}

/** Show the conversation with one person; a known one at once, without asking the server. */
export function openDirect(userId: string): void {
  const known = roomList.value.find(({ room }) => room.kind === "direct" && room.peer?.id === userId);
  dialog.value = null;
  if (known) goToRoom(known.room.id);
  else void openRoom({ kind: "direct", user_id: userId });
}

/** Show the chat above or below the current one in the list. */
export function stepRoom(step: 1 | -1): void {
  const ids = roomList.value.map(({ room }) => room.id);
  const at = ids.indexOf(roomId.value ?? "");
  const next = ids[at < 0 ? 0 : Math.max(0, Math.min(at + step, ids.length - 1))];
  if (next !== undefined) goToRoom(next);
}
