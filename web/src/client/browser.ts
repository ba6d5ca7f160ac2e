import { sleep } from "./backoff.js";
import { newId } from "./ids.js";
import type { Credentials, Vault } from "./ports.js";

const LEASE_MS = 10_000;

/** Credentials of one person in `localStorage`, guarded across tabs. */
export function browserVault(userId: string, storage: Storage = localStorage): Vault {
  const key = `homeroom.session.${userId}`;
  return {
    read: () => {
      const text = storage.getItem(key);
      return text ? (JSON.parse(text) as Credentials) : null;
    },
    write: (credentials) => {
      if (credentials) storage.setItem(key, JSON.stringify(credentials));
      else storage.removeItem(key);
    },
    // Web Locks need a secure context; a school's own network without TLS gets a lease in storage.
    locked: (work) =>
      "locks" in navigator ? navigator.locks.request(key, work) : leased(`${key}.lease`, storage, work),
  };
}

async function leased<T>(key: string, storage: Storage, work: () => Promise<T>): Promise<T> {
  const owner = newId();
  while (!(await acquired(key, storage, owner))) await sleep(100);
  try {
    return await work();
  } finally {
    storage.removeItem(key);
  }
}

async function acquired(key: string, storage: Storage, owner: string): Promise<boolean> {
  const [, until] = (storage.getItem(key) ?? "").split(" ");
  if (until !== undefined && Number(until) > Date.now()) return false;
  storage.setItem(key, `${owner} ${Date.now() + LEASE_MS}`);
  // Whoever wrote last before everybody looks again has it.
  await sleep(50);
  return (storage.getItem(key) ?? "").startsWith(owner);
}
