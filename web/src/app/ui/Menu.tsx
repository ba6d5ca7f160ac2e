import type { LucideIcon } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

export interface Anchor {
  readonly x: number;
  readonly y: number;
  /** Height of what the menu belongs to: it opens above that where there is no room below. */
  readonly height: number;
  /** Whether the menu's end edge, rather than its start, is at `x`. */
  readonly fromEnd?: boolean;
}

export function anchorOf(element: Element): Anchor {
  const box = element.getBoundingClientRect();
  const fromEnd = box.left > innerWidth / 2;
  return { x: fromEnd ? box.right : box.left, y: box.top, height: box.height, fromEnd };
}

interface Props {
  anchor: Anchor;
  label: string;
  onClose: () => void;
  children: ComponentChildren;
  role?: "menu" | "dialog";
  testId?: string;
}

const GAP = 4;
const EDGE = 8;

/** Something that floats beside what opened it, and closes on Escape, on a click elsewhere and on scrolling. */
export function Floating({ anchor, label, onClose, children, role = "menu", testId }: Props) {
  const ref = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => place(ref.current, anchor), [anchor]);
  useEffect(() => {
    const before = document.activeElement;
    ref.current?.querySelector<HTMLElement>("button, [tabindex]")?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  return (
    <div class="floating-layer" onPointerDown={(event) => event.target === event.currentTarget && onClose()}>
      <div
        ref={ref}
        class={`floating floating-${role}`}
        role={role}
        aria-label={label}
        data-testid={testId}
        onKeyDown={(event) => moveFocus(event, onClose)}
      >
        {children}
      </div>
    </div>
  );
}

function place(element: HTMLElement | null, { x, y, height, fromEnd }: Anchor): void {
  if (!element) return;
  const { width, height: own } = element.getBoundingClientRect();
  const left = Math.max(EDGE, Math.min(fromEnd ? x - width : x, innerWidth - width - EDGE));
  const below = y + height + GAP;
  const top = below + own + EDGE <= innerHeight ? below : Math.max(EDGE, y - own - GAP);
  element.style.left = `${left}px`;
  element.style.top = `${top}px`;
}

function moveFocus(event: KeyboardEvent, onClose: () => void): void {
  if (event.key === "Escape" || event.key === "Tab") {
    event.preventDefault();
    event.stopPropagation();
    onClose();
    return;
  }
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (step === undefined || event.target instanceof HTMLInputElement) return;
  event.preventDefault();
  const items = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>("button")];
  const at = items.indexOf(document.activeElement as HTMLElement);
  items[(at + step + items.length) % items.length]?.focus();
}

interface ItemProps {
  icon: LucideIcon;
  label: string;
  onSelect: () => void;
  danger?: boolean;
  checked?: boolean;
  testId?: string;
}

export function MenuItem({ icon: Icon, label, onSelect, danger = false, checked, testId }: ItemProps) {
  const role = checked === undefined ? "menuitem" : "menuitemradio";
  return (
    <button
      type="button"
      class={`menu-item ${danger ? "danger" : ""}`}
      role={role}
      aria-checked={checked}
      data-testid={testId}
      onClick={onSelect}
    >
      <Icon size={16} aria-hidden="true" />
      <span>{label}</span>
    </button>
  );
}
