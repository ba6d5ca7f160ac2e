import { type RefObject } from "preact";
import { useEffect, useLayoutEffect, useMemo, useReducer, useRef } from "preact/hooks";
import { ListLayout } from "./listLayout.js";

/** What stays where it is while rows come, go and change height: the end, or one row at a distance from the top. */
export type Anchor = "end" | { readonly key: string; readonly offset: number };

export interface WindowedList {
  readonly scroller: RefObject<HTMLDivElement>;
  readonly start: number;
  readonly end: number;
  readonly above: number;
  readonly below: number;
  readonly layout: ListLayout;
  readonly atEnd: boolean;
  /** Hold this from now on. */
  readonly hold: (anchor: Anchor) => void;
}

export interface WindowedListOptions {
  readonly keys: readonly string[];
  readonly estimate: (index: number) => number;
  readonly initial: Anchor;
  /** Rows that may move among the others (day chips) cannot hold the place. */
  readonly canHold: (key: string) => boolean;
  /** After each drawing and scroll: the offsets now in view. */
  readonly onView: (top: number, bottom: number, list: ListLayout) => void;
}

const OVERSCAN = 700;
const END_SLACK = 48;
const FIRST_VIEWPORT = 900;

/**
 * Draws only the rows near the viewport, of heights known once drawn.
 *
 * The browser's own scroll anchoring is off: it is missing in Safari, and would fight with this one.
 */
export function useWindowedList(options: WindowedListOptions): WindowedList {
  const scroller = useRef<HTMLDivElement>(null);
  const latest = useRef(options);
  latest.current = options;
  const layout = useMemo(() => new ListLayout((i) => latest.current.estimate(i)), []);
  const anchor = useRef<Anchor>(options.initial);
  const drawn = useRef<readonly [number, number]>([0, 0]);
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const rowSizes = useMemo(
    () =>
      new ResizeObserver((entries) => {
        const shown = entries.filter(({ target }) => target.isConnected);
        for (const { target } of entries) if (!target.isConnected) rowSizes.unobserve(target);
        if (layout.measure(shown.map(sizeOf))) redraw(undefined);
      }),
    [],
  );
  useMemo(() => layout.setKeys(options.keys), [options.keys]);

  const height = scroller.current?.clientHeight ?? FIRST_VIEWPORT;
  const top = topFor(anchor.current, layout, height);
  const [start, end] = layout.range(top, height, OVERSCAN);
  drawn.current = [start, end];

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    for (const row of rowsIn(element)) rowSizes.observe(row);
    if (layout.measure(unmeasured(element, layout))) {
      redraw(undefined);
      return;
    }
    const top = topFor(anchor.current, layout, element.clientHeight);
    if (Math.abs(element.scrollTop - top) > 1) element.scrollTop = top;
    options.onView(element.scrollTop, element.scrollTop + element.clientHeight, layout);
  });

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const onScroll = () => {
      const { canHold, onView } = latest.current;
      const wasEnd = anchor.current === "end";
      anchor.current = anchorAt(element, layout, canHold);
      const range = layout.range(element.scrollTop, element.clientHeight, OVERSCAN);
      onView(element.scrollTop, element.scrollTop + element.clientHeight, layout);
      const [from, to] = drawn.current;
      const covered = range[0] >= from && range[1] <= to && from - range[0] < 20;
      if (!covered || wasEnd !== (anchor.current === "end")) redraw(undefined);
    };
    const observer = new ResizeObserver(() => redraw(undefined));
    observer.observe(element);
    element.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      observer.disconnect();
      rowSizes.disconnect();
      element.removeEventListener("scroll", onScroll);
    };
  }, []);

  return {
    scroller,
    start,
    end,
    above: layout.top(start),
    below: layout.total - layout.top(end),
    layout,
    atEnd: layout.total - top - height < END_SLACK,
    hold: (next) => {
      anchor.current = next;
      redraw(undefined);
    },
  };
}

function topFor(anchor: Anchor, layout: ListLayout, height: number): number {
  const last = Math.max(0, layout.total - height);
  if (anchor === "end") return last;
  const index = layout.indexOf(anchor.key);
  return index < 0 ? last : Math.max(0, Math.min(last, layout.top(index) - anchor.offset));
}

function anchorAt(element: HTMLElement, layout: ListLayout, canHold: (key: string) => boolean): Anchor {
  const { scrollTop, clientHeight } = element;
  if (layout.total - scrollTop - clientHeight < END_SLACK) return "end";
  let index = layout.at(scrollTop);
  while (index < layout.count - 1 && !canHold(layout.keyAt(index) ?? "")) index++;
  return { key: layout.keyAt(index) ?? "", offset: layout.top(index) - scrollTop };
}

function rowsIn(element: HTMLElement): NodeListOf<HTMLElement> {
  return element.querySelectorAll<HTMLElement>("[data-row-key]");
}

/** Rows seen for the first time; asking the browser for the height of all of them at each scroll is slow. */
function* unmeasured(element: HTMLElement, layout: ListLayout): Iterable<readonly [string, number]> {
  for (const row of rowsIn(element)) {
    const key = row.dataset.rowKey ?? "";
    if (!layout.isMeasured(key)) yield [key, row.getBoundingClientRect().height];
  }
}

function sizeOf({ target, borderBoxSize }: ResizeObserverEntry): readonly [string, number] {
  return [(target as HTMLElement).dataset.rowKey ?? "", borderBoxSize[0]?.blockSize ?? 0];
}
