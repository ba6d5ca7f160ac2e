import { effect, signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";

const THEME = "homeroom.theme";
const dark = matchMedia("(prefers-color-scheme: dark)");
const systemDark = signal(dark.matches);

export const theme = signal<Theme>((localStorage.getItem(THEME) as Theme | null) ?? "auto");

export function isDark(): boolean {
  return theme.value === "dark" || (theme.value === "auto" && systemDark.value);
}

export function chooseTheme(next: Theme): void {
  theme.value = next;
  if (next === "auto") localStorage.removeItem(THEME);
  else localStorage.setItem(THEME, next);
}

/** Keep the document in the chosen theme. */
export function startTheme(): void {
  dark.addEventListener("change", () => {
    systemDark.value = dark.matches;
  });
  effect(() => {
    document.documentElement.dataset.theme = isDark() ? "dark" : "light";
  });
}

function draftKey(userId: string, roomId: string): string {
  return `homeroom.draft.${userId}/${roomId}`;
}

export function readDraft(userId: string, roomId: string): string {
  return localStorage.getItem(draftKey(userId, roomId)) ?? "";
}

export function writeDraft(userId: string, roomId: string, text: string): void {
  try {
    if (text.trim() === "") localStorage.removeItem(draftKey(userId, roomId));
    else localStorage.setItem(draftKey(userId, roomId), text);
  } catch {
    // Storage is full: the draft lives as long as the page.
  }
}
