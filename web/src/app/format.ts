import { locale, t } from "../i18n/index.js";

const cache = new Map<string, Intl.DateTimeFormat>();

function format(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale.value}/${name}`;
  const known = cache.get(key) ?? new Intl.DateTimeFormat(locale.value, options);
  cache.set(key, known);
  return known;
}

const DAY_MS = 86_400_000;

function startOfDay(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}

/** Whole local days between a moment and now. */
function daysAgo(at: number, now: number): number {
  return Math.round((startOfDay(now) - startOfDay(at)) / DAY_MS);
}

export function clockTime(at: string | number): string {
  return format("time", { hour: "numeric", minute: "2-digit" }).format(new Date(at));
}

/** The full date and time, for a tooltip. */
export function exactTime(at: string | number): string {
  return format("exact", { dateStyle: "full", timeStyle: "medium" }).format(new Date(at));
}

export function dayName(at: string | number, now = Date.now()): string {
  const ago = daysAgo(Number(new Date(at)), now);
  if (ago === 0) return t().common.today;
  if (ago === 1) return t().common.yesterday;
  const thisYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  if (ago > 1 && ago < 7) return format("weekday", { weekday: "long" }).format(new Date(at));
  if (thisYear)
    return format("day", { weekday: "short", day: "numeric", month: "long" }).format(new Date(at));
  return format("date", { day: "numeric", month: "long", year: "numeric" }).format(new Date(at));
}

export function fullDate(at: string): string {
  return format("date", { day: "numeric", month: "long", year: "numeric" }).format(new Date(at));
}

/** As short as a list of rooms needs it. */
export function shortTime(at: string, now = Date.now()): string {
  const ago = daysAgo(Date.parse(at), now);
  if (ago === 0) return clockTime(at);
  if (ago < 7) return format("weekdayShort", { weekday: "short" }).format(new Date(at));
  return format("short", { day: "numeric", month: "short" }).format(new Date(at));
}

/** "5 minutes ago". */
export function relativeTime(at: string, now = Date.now()): string {
  const seconds = Math.round((Date.parse(at) - now) / 1000);
  const units: [Intl.RelativeTimeFormatUnit, number][] = [
    ["day", 86_400],
    ["hour", 3600],
    ["minute", 60],
  ];
  const relative = new Intl.RelativeTimeFormat(locale.value, { numeric: "auto" });
  for (const [unit, size] of units) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return relative.format(Math.trunc(seconds / 60), "minute");
}
