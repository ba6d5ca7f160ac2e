import type { Error as WireError } from "./types.gen.js";

/** Codes made on this side; all others are the server's. */
export const CONNECTION_LOST = "client.connection_lost";
export const SIGNED_OUT = "client.signed_out";

/** A refusal or failure with a stable code. `retryable` says whether the same call can succeed later. */
export class HomeroomError extends Error {
  override readonly name = "HomeroomError";
  readonly code: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly fields: readonly string[];

  constructor(error: WireError) {
    super(error.message);
    this.code = error.code;
    this.retryable = error.retryable;
    this.retryAfterMs = error.retry_after_ms;
    this.fields = error.fields ?? [];
  }
}

export function connectionLost(): HomeroomError {
  return new HomeroomError({ code: CONNECTION_LOST, message: "The connection was lost.", retryable: true });
}

export function signedOut(): HomeroomError {
  return new HomeroomError({ code: SIGNED_OUT, message: "Signed out.", retryable: false });
}

export function asHomeroomError(cause: unknown): HomeroomError {
  return cause instanceof HomeroomError ? cause : connectionLost();
}
