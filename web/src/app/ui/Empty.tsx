import type { LucideIcon } from "lucide-preact";
import type { ComponentChildren } from "preact";

interface Props {
  icon: LucideIcon;
  title: string;
  lead?: string;
  children?: ComponentChildren;
}

/** What this place is for, and the one thing to do. */
export function Empty({ icon: Icon, title, lead, children }: Props) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon size={28} strokeWidth={1.75} aria-hidden="true" />
      </span>
      <p class="empty-title">{title}</p>
      {lead && <p class="empty-lead">{lead}</p>}
      {children}
    </div>
  );
}
