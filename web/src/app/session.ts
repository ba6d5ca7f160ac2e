import { signal } from "@preact/signals";
import {
  asHomeroomError,
  browserVault,
  type Credentials,
  exchange,
  Homeroom,
  readClaims,
  type Vault,
} from "../client/index.js";
import { t } from "../i18n/index.js";
import { client, mirror, status } from "./store.js";

/** Each tab is one person; credentials are shared by all tabs of that person. */
const TAB = "homeroom.tab";
const LAST = "homeroom.last";

export const phase = signal<"starting" | "out" | "in">("starting");
/** Why the sign-in page is shown, if there is more to say than "sign in". */
export const notice = signal("");

let unmirror: () => void = () => undefined;

/** Read what a sign-in link carries, and take it out of the address at once. */
function takeLink(): Partial<Credentials> {
  const link = linkIn(location.hash);
  if (link.access_token ?? link.refresh_token) {
    history.replaceState(history.state, "", location.pathname + location.search);
  }
  return link;
}

/** The credentials in a link or in pasted text, be it the link or the bare token. */
export function linkIn(text: string): Partial<Credentials> {
  const trimmed = text.trim();
  const fields = new URLSearchParams(trimmed.slice(trimmed.indexOf("#") + 1));
  const token = fields.get("token") ?? (readClaims(trimmed) ? trimmed : null);
  const refresh = fields.get("refresh");
  return { ...(token ? { access_token: token } : {}), ...(refresh ? { refresh_token: refresh } : {}) };
}

export async function startSession(): Promise<void> {
  addEventListener("hashchange", () => void useLink(takeLink()));
  const link = takeLink();
  if (link.access_token ?? link.refresh_token) await useLink(link);
  else await resume();
}

/** Sign in with what somebody pasted. */
export async function signIn(pasted: string): Promise<void> {
  const link = linkIn(pasted);
  if (link.access_token ?? link.refresh_token) await useLink(link);
  else notice.value = t().signIn.bad;
}

export async function signOut(): Promise<void> {
  const homeroom = client.value;
  leave("");
  await homeroom?.signOut();
}

async function useLink(link: Partial<Credentials>): Promise<void> {
  if (!link.access_token && !link.refresh_token) return;
  try {
    await enter(await credentialsOf(link));
  } catch (cause) {
    const { retryable } = asHomeroomError(cause);
    leave(retryable ? t().signIn.unreachable : t().signIn.expired);
  }
}

async function credentialsOf(link: Partial<Credentials>): Promise<Credentials> {
  if (link.access_token) return { ...link, access_token: link.access_token };
  return exchange("", link.refresh_token ?? "");
}

async function enter(link: Credentials): Promise<void> {
  const userId = readClaims(link.access_token)?.sub;
  if (userId === undefined) {
    leave(t().signIn.bad);
    return;
  }
  const vault = browserVault(userId);
  // A link with an access token alone does not cost the refresh token that is there.
  const credentials = { ...(await vault.read()), ...link };
  await vault.write(credentials);
  sessionStorage.setItem(TAB, userId);
  localStorage.setItem(LAST, userId);
  become(credentials, vault);
}

async function resume(): Promise<void> {
  const userId = sessionStorage.getItem(TAB) ?? localStorage.getItem(LAST);
  const vault = userId === null ? null : browserVault(userId);
  const credentials = await vault?.read();
  if (userId === null || !vault || !credentials) {
    leave("");
    return;
  }
  sessionStorage.setItem(TAB, userId);
  become(credentials, vault);
}

function become(credentials: Credentials, vault: Vault): void {
  stopCurrent();
  const homeroom = new Homeroom({ url: "", credentials, vault, storage: localStorage });
  unmirror = mirror(homeroom);
  homeroom.events.on("status", (now) => {
    if (now === "signed_out") leave(t().signIn.expired);
  });
  client.value = homeroom;
  phase.value = "in";
  notice.value = "";
  homeroom.start();
}

function leave(why: string): void {
  stopCurrent();
  sessionStorage.removeItem(TAB);
  localStorage.removeItem(LAST);
  notice.value = why;
  phase.value = "out";
}

function stopCurrent(): void {
  unmirror();
  client.value?.stop();
  client.value = null;
  status.value = "stopped";
}
