import type { LucideIcon } from "lucide-preact";
import type { ButtonHTMLAttributes } from "preact";

interface Props extends ButtonHTMLAttributes {
  icon: LucideIcon;
  /** What it does: its name for screen readers, and its tooltip. */
  label: string;
  "data-testid"?: string;
}

export function IconButton({ icon: Icon, label, class: extra, ...rest }: Props) {
  return (
    <button
      type="button"
      class={`icon-button ${typeof extra === "string" ? extra : ""}`}
      aria-label={label}
      title={label}
      {...rest}
    >
      <Icon size={18} strokeWidth={2} aria-hidden="true" />
    </button>
  );
}
