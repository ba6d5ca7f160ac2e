import { toast } from "../store.js";

/** Errors interrupt a screen reader; the rest waits for its turn. */
export function Toasts() {
  const shown = toast.value;
  return (
    <>
      <div class="toast-place" role="status" aria-live="polite">
        {shown?.tone === "plain" && <p class="toast">{shown.text}</p>}
      </div>
      <div class="toast-place" role="alert" aria-live="assertive">
        {shown?.tone === "error" && <p class="toast toast-error">{shown.text}</p>}
      </div>
    </>
  );
}
