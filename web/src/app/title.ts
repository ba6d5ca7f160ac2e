import { effect } from "@preact/signals";
import { t } from "../i18n/index.js";
import { roomTitle } from "./rooms/roomText.js";
import { roomId } from "./route.js";
import { client, roomList, unreadTotal } from "./store.js";

/** The tab says where one is, and how much is unread. */
export function startTitle(): void {
  effect(() => {
    const open = roomList.value.find(({ room }) => room.id === roomId.value);
    const name = open ? `${roomTitle(open.room)} · ${t().app}` : t().app;
    const unread = client.value ? unreadTotal.value : 0;
    document.title = unread > 0 ? `(${unread > 999 ? "999+" : unread}) ${name}` : name;
  });
}
