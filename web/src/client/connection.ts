import { io, type Socket } from "socket.io-client";
import { backoffMs } from "./backoff.js";
import { Emitter, type Unsubscribe } from "./emitter.js";
import { asHomeroomError, connectionLost, HomeroomError, SIGNED_OUT } from "./errors.js";
import { RENEW_BEFORE_MS, type Session } from "./session.js";
import type { ClientEvents, ConnectRefused, Error as WireError, ServerEvents } from "./types.gen.js";

export type Status = "stopped" | "connecting" | "online" | "waiting" | "signed_out";

export interface ConnectionOptions {
  readonly url: string;
  readonly session: Session;
  readonly transports?: ("websocket" | "polling")[];
  readonly random?: () => number;
}

export type Envelope<Data> = { ok: true; data: Data } | { ok: false; error: WireError };

const CALL_TIMEOUT_MS = 10_000;
/** A connection that lived this long was a good one: the next attempt starts without delay again. */
const SETTLED_MS = 5000;

/**
 * One live connection that comes back by itself.
 *
 * socket.io-client's own reconnection is off: it does not come back after the server closed the connection, and
 * knows neither tokens nor the waits that a draining or overloaded server asks for.
 */
export class Connection {
  readonly status = new Emitter<{ changed: Status }>();
  readonly events = new Emitter<ServerEvents>();
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  #now: Status = "stopped";
  #attempt = 0;
  #onlineSince = 0;
  #drainUntil = 0;
  #triedRenewal = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #renewal: ReturnType<typeof setTimeout> | undefined;
  #drain: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#socket = io(options.url, {
      autoConnect: false,
      reconnection: false,
      forceNew: true,
      transports: options.transports ?? ["websocket", "polling"],
      // Falls back to polling on the same attempt where a proxy blocks websockets.
      tryAllTransports: true,
      auth: (give) => give({ token: options.session.token }),
    });
    this.#socket.on("connect_error", (error: Error & { data?: ConnectRefused }) => this.#refused(error.data));
    this.#socket.on("disconnect", () => this.#lost());
    this.#socket.onAny((name: keyof ServerEvents, payload: unknown) =>
      this.events.emit(name, payload as never),
    );
    // First of the listeners: those who hear of `ready` after it may call.
    this.events.on("ready", () => this.#becomeReady());
    this.events.on("auth:expiring", () => void this.#renew());
    this.events.on("server:draining", (event) => this.#draining(event));
  }

  get current(): Status {
    return this.#now;
  }

  get online(): boolean {
    return this.#now === "online";
  }

  start(): void {
    if (this.#now === "stopped" || this.#now === "signed_out") void this.#open();
  }

  stop(): void {
    this.#become("stopped");
    this.#clearTimers();
    this.#socket.disconnect();
  }

  /** Try again at once, as when the device says that it is back on a network. */
  retryNow(): void {
    if (this.#now === "waiting" && this.#drainUntil <= Date.now()) void this.#open();
  }

  /** Send an event and return its answer's data. Throws HomeroomError; `client.connection_lost` is retryable. */
  async call<Name extends keyof ClientEvents>(
    name: Name,
    payload: ClientEvents[Name]["payload"],
  ): Promise<ClientEvents[Name]["data"]> {
    // socket.io-client would keep it and send it after reconnecting, when it may be out of date.
    if (!this.online) throw connectionLost();
    const answer = (await this.#socket
      .timeout(CALL_TIMEOUT_MS)
      .emitWithAck(name, payload)
      .catch((cause: unknown) => {
        throw asHomeroomError(cause);
      })) as Envelope<ClientEvents[Name]["data"]>;
    if (answer.ok) return answer.data;
    throw new HomeroomError(answer.error);
  }

  onEvent<Name extends keyof ServerEvents>(
    name: Name,
    listener: (payload: ServerEvents[Name]) => void,
  ): Unsubscribe {
    return this.events.on(name, listener);
  }

  async #open(): Promise<void> {
    clearTimeout(this.#retry);
    this.#become("connecting");
    try {
      await this.#options.session.ensure();
      if (this.current === "connecting") this.#socket.connect();
    } catch (cause) {
      this.#failed(asHomeroomError(cause));
    }
  }

  #becomeReady(): void {
    this.#onlineSince = Date.now();
    this.#triedRenewal = false;
    this.#planRenewal(this.#options.session.leftMs - RENEW_BEFORE_MS);
    this.#become("online");
  }

  #lost(): void {
    clearTimeout(this.#renewal);
    clearTimeout(this.#drain);
    if (this.#now !== "online" && this.#now !== "connecting") return;
    if (this.#onlineSince > 0 && Date.now() - this.#onlineSince > SETTLED_MS) this.#attempt = 0;
    this.#onlineSince = 0;
    this.#wait(Math.max(this.#drainUntil - Date.now(), this.#backoff()));
  }

  #refused(refusal: ConnectRefused | undefined): void {
    if (this.#now !== "connecting") return;
    this.#socket.disconnect();
    const code = refusal?.code ?? "";
    const renewable = code === "auth.expired_token" || code === "auth.invalid_token";
    if (renewable && this.#options.session.canRenew && !this.#triedRenewal) {
      this.#triedRenewal = true;
      void this.#renewAndOpen();
    } else if (code.startsWith("auth.")) this.#signOut();
    else this.#wait((refusal?.retry_after_ms ?? 0) + this.#backoff());
  }

  async #renewAndOpen(): Promise<void> {
    try {
      await this.#options.session.renew();
      if (this.#now === "connecting") await this.#open();
    } catch (cause) {
      this.#failed(asHomeroomError(cause));
    }
  }

  #failed(error: HomeroomError): void {
    if (this.#now === "stopped") return;
    if (error.code === SIGNED_OUT) this.#signOut();
    else this.#wait(Math.max(error.retryAfterMs ?? 0, this.#backoff()));
  }

  #signOut(): void {
    this.#clearTimers();
    this.#become("signed_out");
    this.#socket.disconnect();
  }

  #wait(ms: number): void {
    clearTimeout(this.#retry);
    this.#become("waiting");
    this.#retry = setTimeout(() => void this.#open(), Math.max(0, ms));
  }

  #backoff(): number {
    return backoffMs(this.#attempt++, (this.#options.random ?? Math.random)());
  }

  #draining({ reconnect_after_ms }: ServerEvents["server:draining"]): void {
    this.#drainUntil = Date.now() + reconnect_after_ms;
    this.#drain = setTimeout(() => this.#socket.disconnect(), reconnect_after_ms);
  }

  #planRenewal(ms: number): void {
    clearTimeout(this.#renewal);
    // setTimeout fires at once for delays beyond 31 bits, and a token that lasts weeks needs no plan.
    if (ms < 2 ** 31) this.#renewal = setTimeout(() => void this.#renew(), Math.max(1000, ms));
  }

  async #renew(): Promise<void> {
    const { session } = this.#options;
    if (!this.online || !session.canRenew) return;
    try {
      const token = await session.renew();
      await this.call("auth:refresh", { token });
      this.#planRenewal(session.leftMs - RENEW_BEFORE_MS);
    } catch (cause) {
      const error = asHomeroomError(cause);
      if (error.code === SIGNED_OUT) this.#signOut();
      else this.#planRenewal(error.retryAfterMs ?? 5000);
    }
  }

  #clearTimers(): void {
    for (const timer of [this.#retry, this.#renewal, this.#drain]) clearTimeout(timer);
  }

  #become(status: Status): void {
    if (status === this.#now) return;
    this.#now = status;
    this.status.emit("changed", status);
  }
}
