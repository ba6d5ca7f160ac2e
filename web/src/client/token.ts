export interface Claims {
  readonly sub: string;
  /** Milliseconds since the epoch; Infinity for a token without an end. */
  readonly endsAt: number;
}

/** Read a JWT without verifying it (that is the server's part). Null if it is none. */
export function readClaims(token: string): Claims | null {
  const payload = token.split(".")[1];
  if (!payload) return null;
  try {
    const bytes = Uint8Array.from(atob(payload.replace(/-/g, "+").replace(/_/g, "/")), (c) =>
      c.charCodeAt(0),
    );
    const claims = JSON.parse(new TextDecoder().decode(bytes)) as { sub?: unknown; exp?: unknown };
    if (typeof claims.sub !== "string") return null;
    return { sub: claims.sub, endsAt: typeof claims.exp === "number" ? claims.exp * 1000 : Infinity };
  } catch {
    return null;
  }
}
