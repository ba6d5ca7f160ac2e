import { describe, expect, it } from "vitest";
import { SIGNED_OUT } from "../src/client/errors.js";
import { type Credentials, memoryVault } from "../src/client/ports.js";
import { Session } from "../src/client/session.js";
import { readClaims } from "../src/client/token.js";

const NOW = Date.UTC(2026, 10, 21, 9);

function token(leftS: number, tag = ""): string {
  const payload = btoa(JSON.stringify({ sub: "ada", exp: NOW / 1000 + leftS, tag }));
  return `h.${payload}.s`;
}

function server(answers: (Response | Error)[]) {
  const spent: string[] = [];
  const fetcher = (_url: string | URL | Request, init?: RequestInit) => {
    spent.push((JSON.parse(init?.body as string) as { refresh_token: string }).refresh_token);
    const answer = answers.shift() ?? new Error("no more answers");
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  return { spent, fetcher: fetcher };
}

const pair = (access_token: string, refresh_token: string) => Response.json({ access_token, refresh_token });
const session = (credentials: Credentials, fetcher: typeof fetch, vault = memoryVault(credentials)) =>
  new Session({ url: "", credentials, vault, fetch: fetcher, now: () => NOW });

describe("a session", () => {
  it("uses a token that lasts without asking", async () => {
    const { fetcher, spent } = server([]);
    const good = token(600);
    expect(await session({ access_token: good }, fetcher).ensure()).toBe(good);
    expect(spent).toEqual([]);
  });

  it("renews a token before it ends, once for all who ask", async () => {
    const next = token(900, "next");
    const { fetcher, spent } = server([pair(next, "r2")]);
    const ada = session({ access_token: token(30), refresh_token: "r1" }, fetcher);
    expect(await Promise.all([ada.ensure(), ada.ensure()])).toEqual([next, next]);
    expect(spent).toEqual(["r1"]);
  });

  it("spends a refresh token once among tabs: the second finds what the first got", async () => {
    const next = token(900, "next");
    const { fetcher, spent } = server([pair(next, "r2")]);
    const credentials = { access_token: token(30), refresh_token: "r1" };
    const shared = memoryVault(credentials);
    const tabs = [session(credentials, fetcher, shared), session(credentials, fetcher, shared)];
    expect(await Promise.all(tabs.map((tab) => tab.ensure()))).toEqual([next, next]);
    expect(spent).toEqual(["r1"]);
  });

  it("is over when the refresh token is refused", async () => {
    const { fetcher } = server([Response.json({ code: "auth.reused_token" }, { status: 401 })]);
    const ada = session({ access_token: token(30), refresh_token: "r1" }, fetcher);
    await expect(ada.ensure()).rejects.toMatchObject({ code: SIGNED_OUT });
  });

  it("is not over because the network is", async () => {
    const { fetcher } = server([new TypeError("fetch failed")]);
    const ada = session({ access_token: token(30), refresh_token: "r1" }, fetcher);
    await expect(ada.ensure()).rejects.toMatchObject({ retryable: true });
  });

  it("uses what is left of a token that cannot be renewed, and then is over", async () => {
    const { fetcher } = server([]);
    const last = token(10);
    expect(await session({ access_token: last }, fetcher).ensure()).toBe(last);
    const ended = session({ access_token: token(-1) }, fetcher);
    await expect(ended.ensure()).rejects.toMatchObject({ code: SIGNED_OUT });
  });
});

describe("reading a token", () => {
  it("finds whose it is and when it ends", () => {
    expect(readClaims(token(60))).toEqual({ sub: "ada", endsAt: NOW + 60_000 });
  });

  it.each(["", "a", "a.b.c", "a.e30.c", "not a token at all"])("refuses %j", (text) => {
    expect(readClaims(text)).toBeNull();
  });
});
