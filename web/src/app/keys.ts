import { stepRoom } from "./actions.js";
import { goToList, roomId } from "./route.js";
import { phase } from "./session.js";
import { detailsOpen, dialog } from "./store.js";

function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, [contenteditable]");
}

function onKey(event: KeyboardEvent): void {
  if (phase.value !== "in" || event.defaultPrevented || event.isComposing) return;
  if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) {
    dialog.value = dialog.value === "palette" ? null : "palette";
  } else if (dialog.value !== null) return;
  else if (event.altKey && event.key === "ArrowDown") stepRoom(1);
  else if (event.altKey && event.key === "ArrowUp") stepRoom(-1);
  else if (event.altKey && event.code === "KeyN") dialog.value = "newChat";
  else if (event.key === "?" && !isWriting(event.target)) dialog.value = "shortcuts";
  else if (event.key === "Escape") leave();
  else return;
  event.preventDefault();
}

/** Leave the innermost thing: details first, then, on a narrow screen, the room. */
function leave(): void {
  if (detailsOpen.value) detailsOpen.value = false;
  else if (roomId.value !== null && matchMedia("(max-width: 719px)").matches) goToList();
}

export function startKeys(): void {
  addEventListener("keydown", onKey);
}
