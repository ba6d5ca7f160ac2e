import { t } from "../../i18n/index.js";

const WIDTHS = [62, 38, 74, 50, 30, 68, 44];

export function RoomSkeleton() {
  return (
    <div class="skeleton-list" role="status" aria-label={t().common.loading}>
      {WIDTHS.map((width) => (
        <div class="skeleton-room" key={width}>
          <span class="skeleton skeleton-round" />
          <span class="skeleton-lines">
            <span class="skeleton" style={{ width: `${width}%` }} />
            <span class="skeleton" style={{ width: `${100 - width / 2}%` }} />
          </span>
        </div>
      ))}
    </div>
  );
}

export function ChatSkeleton() {
  return (
    <div class="skeleton-chat" role="status" aria-label={t().common.loading}>
      {WIDTHS.map((width, i) => (
        <span
          class={`skeleton skeleton-bubble ${i % 3 === 2 ? "own" : ""}`}
          style={{ width: `${width}%` }}
          key={width}
        />
      ))}
    </div>
  );
}
