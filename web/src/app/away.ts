import { effect, signal } from "@preact/signals";
import { client, online } from "./store.js";

type Status = "online" | "away" | "busy";

const IDLE_MS = 5 * 60_000;

/** What the user chose; `away` may also come by itself, and goes when they are back. */
const chosen = signal<Status>("online");
const idle = signal(false);

export const ownStatus = signal<Status | "offline">("offline");

export function chooseStatus(status: Status): void {
  chosen.value = status;
}

let timer: ReturnType<typeof setTimeout> | undefined;

function active(): void {
  clearTimeout(timer);
  idle.value = false;
  timer = setTimeout(() => {
    idle.value = true;
  }, IDLE_MS);
}

/** Tell the server the user's status, and `away` after five minutes without a sign of life. */
export function startAway(): void {
  for (const sign of ["pointerdown", "keydown", "wheel", "focus"]) {
    addEventListener(sign, active, { passive: true, capture: true });
  }
  active();
  effect(() => {
    const status = idle.value && chosen.value === "online" ? "away" : chosen.value;
    const presence = client.value?.presence;
    if (presence && presence.own !== status) presence.set(status);
    ownStatus.value = online.value ? status : "offline";
  });
}
