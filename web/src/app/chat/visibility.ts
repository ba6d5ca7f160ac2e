import { signal } from "@preact/signals";

function attending(): boolean {
  return document.visibilityState === "visible" && document.hasFocus();
}

/** Whether the user can be looking: the page is visible and has the focus. */
export const isAttending = signal(attending());

export function startAttention(): void {
  const update = () => {
    isAttending.value = attending();
  };
  for (const event of ["focus", "blur"]) addEventListener(event, update);
  document.addEventListener("visibilitychange", update);
}
