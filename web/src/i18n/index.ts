import { signal } from "@preact/signals";
import { type Catalogue, en } from "./en.js";

export type Locale = "en" | "hi" | "es";

export const LOCALES: Record<Locale, string> = { en: "English", hi: "हिन्दी", es: "Español" };

const LOADERS: Record<Locale, () => Promise<Catalogue>> = {
  en: () => Promise.resolve(en),
  hi: async () => (await import("./hi.js")).hi,
  es: async () => (await import("./es.js")).es,
};

const KEPT = "homeroom.locale";
const catalogue = signal<Catalogue>(en);

export const locale = signal<Locale>("en");

/** The strings of the language in use. Reading it in a component redraws that when the language changes. */
export function t(): Catalogue {
  return catalogue.value;
}

/** The sentence for an error code. */
export function sentence(code: string): string {
  const { errors } = t();
  return errors[code] ?? errors.other ?? code;
}

export function preferredLocale(kept: string | null, languages: readonly string[]): Locale {
  const wanted = [kept ?? "", ...languages].map((tag) => tag.split("-")[0] ?? "");
  return (wanted.find((tag) => tag in LOCALES) as Locale | undefined) ?? "en";
}

export async function useLocale(next: Locale): Promise<void> {
  catalogue.value = await LOADERS[next]();
  locale.value = next;
  document.documentElement.lang = next;
}

export async function startLocale(): Promise<void> {
  await useLocale(preferredLocale(localStorage.getItem(KEPT), navigator.languages));
}

export async function chooseLocale(next: Locale): Promise<void> {
  localStorage.setItem(KEPT, next);
  await useLocale(next);
}
