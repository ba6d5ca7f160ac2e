import { Check, CheckCheck, CircleAlert, Clock } from "lucide-preact";
import { t } from "../../i18n/index.js";

export type TickState = "sending" | "sent" | "delivered" | "read" | "failed";

const ICONS = { sending: Clock, sent: Check, delivered: CheckCheck, read: CheckCheck, failed: CircleAlert };

export function Ticks({ state, detail }: { state: TickState; detail?: string | undefined }) {
  const Icon = ICONS[state];
  const label = detail ?? t().state[state];
  return (
    <span class={`ticks ticks-${state}`} role="img" aria-label={label} title={label}>
      <Icon size={state === "sending" ? 12 : 15} strokeWidth={2.25} aria-hidden="true" />
    </span>
  );
}
