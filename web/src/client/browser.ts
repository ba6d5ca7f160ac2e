import { sleep } from "./backoff.js";
import { newId } from "./ids.js";
import type { Credentials, Vault } from "./ports.js";

const DATABASE = "homeroom";
const STORE = "vault";
const LEASE_MS = 10_000;

interface Lease {
  readonly owner: string;
  readonly until: number;
}

/**
 * Credentials of one person, shared by that person's tabs.
 *
 * They are in IndexedDB because `localStorage` may still show a tab the value from before another tab's write, and a
 * refresh token that is spent twice ends the sign-in.
 */
export function browserVault(userId: string): Vault {
  const key = `session/${userId}`;
  return {
    read: async () =>
      (await transact<Credentials | undefined>("readonly", (store) => store.get(key))) ?? null,
    write: async (credentials) => {
      await transact("readwrite", (store) => (credentials ? store.put(credentials, key) : store.delete(key)));
    },
    // Web Locks need a secure context; a school's own network without TLS gets a lease.
    locked: (work) =>
      "locks" in navigator ? navigator.locks.request(key, work) : leased(`${key}/lease`, work),
  };
}

async function leased<T>(key: string, work: () => Promise<T>): Promise<T> {
  const owner = newId();
  while (!(await acquired(key, owner))) await sleep(100);
  try {
    return await work();
  } finally {
    await transact("readwrite", (store) => store.delete(key));
  }
}

/** Looking and taking are one transaction, so only one tab can have found the lease free. */
async function acquired(key: string, owner: string): Promise<boolean> {
  let taken = false;
  await transact<Lease | undefined>("readwrite", (store) => {
    const request = store.get(key) as IDBRequest<Lease | undefined>;
    request.addEventListener("success", () => {
      taken = (request.result?.until ?? 0) < Date.now();
      if (taken) store.put({ owner, until: Date.now() + LEASE_MS } satisfies Lease, key);
    });
    return request;
  });
  return taken;
}

/** Run one request in a transaction of its own; the answer counts once that is on disk. */
async function transact<T>(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest): Promise<T> {
  const database = await open();
  try {
    const transaction = database.transaction(STORE, mode);
    const request = ask(transaction.objectStore(STORE));
    await new Promise<void>((resolve, reject) => {
      transaction.addEventListener("complete", () => resolve());
      for (const failure of ["abort", "error"]) {
        transaction.addEventListener(failure, () => reject(transaction.error ?? new Error("storage failed")));
      }
    });
    return request.result as T;
  } finally {
    database.close();
  }
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.addEventListener("upgradeneeded", () => request.result.createObjectStore(STORE));
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () =>
      reject(request.error ?? new Error("storage is closed to this page")),
    );
  });
}
