import { X } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../../i18n/index.js";
import { dialog } from "../store.js";
import { IconButton } from "../ui/IconButton.js";

interface Props {
  title: string;
  kind?: "plain" | "palette";
  children: ComponentChildren;
}

function close(): void {
  dialog.value = null;
}

/** The browser's own dialog: it keeps the focus, closes on Escape and makes the rest inert. */
export function DialogFrame({ title, kind = "plain", children }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    ref.current?.showModal();
  }, []);
  return (
    <dialog
      ref={ref}
      class={`dialog dialog-${kind}`}
      aria-label={title}
      onCancel={close}
      onClose={close}
      onPointerDown={(event) => event.target === event.currentTarget && close()}
    >
      <div class="dialog-body">
        {kind === "plain" && (
          <header class="dialog-head">
            <h2>{title}</h2>
            <IconButton icon={X} label={t().common.close} onClick={close} />
          </header>
        )}
        {children}
      </div>
    </dialog>
  );
}
