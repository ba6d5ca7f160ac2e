import { useEffect, useRef } from "preact/hooks";
import { toast } from "../store.js";

/** Errors interrupt a screen reader; the rest waits for its turn. */
export function Toasts() {
  const place = useRef<HTMLDivElement>(null);
  const shown = toast.value;
  useEffect(() => {
    // Older browsers draw it as it is, below dialogs.
    if (!("popover" in HTMLElement.prototype)) return;
    // Shown anew for each, so that it lies over a dialog that was opened since.
    if (place.current?.matches(":popover-open")) place.current.hidePopover();
    if (shown) place.current?.showPopover();
  }, [shown]);
  return (
    <>
      <div class="toast-place" ref={place} popover="manual" aria-hidden="true">
        {shown && <p class={`toast toast-${shown.tone}`}>{shown.text}</p>}
      </div>
      <div class="only-heard" role="status">
        {shown?.tone === "plain" && shown.text}
      </div>
      <div class="only-heard" role="alert">
        {shown?.tone === "error" && shown.text}
      </div>
    </>
  );
}
