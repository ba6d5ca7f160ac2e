import { asHomeroomError, HomeroomError, signedOut } from "./errors.js";
import type { Credentials, Vault } from "./ports.js";
import { readClaims } from "./token.js";

/** A token that ends sooner than this is renewed before use. */
export const RENEW_BEFORE_MS = 75_000;

export interface SessionOptions {
  readonly url: string;
  /** What the vault holds now. */
  readonly credentials: Credentials;
  readonly vault: Vault;
  readonly fetch?: typeof fetch;
  readonly now?: () => number;
}

interface TokenPair {
  access_token: string;
  refresh_token: string;
}

/** Trade a refresh token for new credentials; the old one is spent. Throws HomeroomError. */
export async function exchange(url: string, refreshToken: string, fetcher = fetch): Promise<Credentials> {
  const response = await fetcher(`${url}/v1/auth/refresh`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ refresh_token: refreshToken }),
  }).catch((cause: unknown) => {
    throw asHomeroomError(cause);
  });
  if (!response.ok) throw await problem(response);
  const pair = (await response.json()) as TokenPair;
  return { access_token: pair.access_token, refresh_token: pair.refresh_token };
}

/** Read an RFC 9457 answer. */
export async function problem(response: Response): Promise<HomeroomError> {
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const retryAfterS = Number(response.headers.get("Retry-After") ?? NaN);
  return new HomeroomError({
    code: typeof body.code === "string" ? body.code : `http.${response.status}`,
    message: typeof body.detail === "string" ? body.detail : response.statusText,
    retryable: response.status === 429 || response.status >= 500,
    ...(Number.isFinite(retryAfterS) ? { retry_after_ms: retryAfterS * 1000 } : {}),
  });
}

/** One person's access token, renewed in time. Tabs of the same person share it through the vault. */
export class Session {
  readonly #options: SessionOptions;
  #credentials: Credentials;
  #renewing: Promise<string> | null = null;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#credentials = options.credentials;
  }

  get token(): string {
    return this.#credentials.access_token;
  }

  get userId(): string {
    return readClaims(this.token)?.sub ?? "";
  }

  get canRenew(): boolean {
    return this.#credentials.refresh_token !== undefined;
  }

  /** Milliseconds until the access token ends. */
  get leftMs(): number {
    return (readClaims(this.token)?.endsAt ?? 0) - this.#now();
  }

  /** Return a token that is good for a while. Throws `client.signed_out`, or a retryable error when offline. */
  async ensure(): Promise<string> {
    if (this.leftMs > RENEW_BEFORE_MS) return this.token;
    if (this.canRenew) return this.renew();
    if (this.leftMs > 0) return this.token;
    throw signedOut();
  }

  /** Get a new token now, unless another tab just did. Throws as `ensure` does. */
  renew(): Promise<string> {
    this.#renewing ??= this.#renewOnce().finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  /** Leave nothing behind. Returns the refresh token, for the server to end. */
  async forget(): Promise<string | undefined> {
    const kept = await this.#options.vault.read();
    await this.#options.vault.write(null);
    return kept?.refresh_token;
  }

  #renewOnce(): Promise<string> {
    const { url, vault, fetch: fetcher } = this.#options;
    return vault.locked(async () => {
      const kept = await vault.read();
      const isNews = kept && kept.access_token !== this.token;
      if (kept) this.#credentials = kept;
      if (isNews && this.leftMs > 0) return kept.access_token;
      if (!kept?.refresh_token) throw signedOut();
      this.#credentials = await exchange(url, kept.refresh_token, fetcher).catch(ended);
      await vault.write(this.#credentials);
      return this.token;
    });
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }
}

/** A refused refresh token is the end of the sign-in; a network that is down is not. */
function ended(cause: unknown): never {
  const error = asHomeroomError(cause);
  throw error.code.startsWith("auth.") ? signedOut() : error;
}
