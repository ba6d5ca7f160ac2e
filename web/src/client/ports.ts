/** Where the outbox is kept. `localStorage` satisfies it. Writes may throw when the place is full. */
export interface KeyValue {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

export interface Credentials {
  readonly access_token: string;
  readonly refresh_token?: string;
}

/**
 * Where one person's credentials are kept, shared by all tabs of that person.
 * `locked` runs one callback at a time among all tabs, and `read` inside it sees what the last one wrote: a refresh
 * token that is spent twice ends the sign-in.
 */
export interface Vault {
  read(): Promise<Credentials | null>;
  write(credentials: Credentials | null): Promise<void>;
  locked<T>(work: () => Promise<T>): Promise<T>;
}

export function memoryStorage(): KeyValue {
  const items = new Map<string, string>();
  return {
    get length() {
      return items.size;
    },
    key: (index) => [...items.keys()][index] ?? null,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
}

export function memoryVault(credentials: Credentials): Vault {
  let kept: Credentials | null = credentials;
  let last: Promise<unknown> = Promise.resolve();
  return {
    read: () => Promise.resolve(kept),
    write: (next) => {
      kept = next;
      return Promise.resolve();
    },
    locked: (work) => {
      const turn = last.then(work, work);
      last = turn.catch(() => undefined);
      return turn;
    },
  };
}
