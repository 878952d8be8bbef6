import type { ClientRequest, IncomingMessage } from "node:http";
import fetch, { type Response } from "node-fetch";
import type { Procedure } from "./api.ts";
import type { Connections, ConnectionUser, Wire } from "./connections.ts";
import { TimeoutError } from "./errors.ts";
import { connectionFailure } from "./failures.ts";
import type { Settings } from "./options.ts";
import type { WireRequest } from "./wire.ts";

/** The slowest uplink that still gets a request through: one second more of patience per KiB. */
const slowestUplinkBytesPerMs = 1.024;

/**
 * One HTTP request and its answer: `open` resolves at the answer's head, `chunks` gives its body. Ends by itself when
 * the answer has come in full or anything has failed, and reports to the audit hook then, once.
 */
export class Exchange implements ConnectionUser {
  readonly #request: WireRequest;
  readonly #settings: Settings;
  readonly #connections: Connections;
  readonly #onEnd: (exchange: Exchange) => void;
  readonly #startedMs = performance.now();
  readonly #broken = Promise.withResolvers<never>();
  /** Why this side ended the exchange. An object, since an abort's reason may be anything. */
  #verdict: { readonly reason: unknown } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #clientRequest: ClientRequest | undefined;
  #systemError: Error | undefined;
  #wire: Wire | undefined;
  /** The wire's counters when it was handed over; undefined while connecting. */
  #handedOver: { readonly sent: number; readonly received: number } | undefined;
  #bytes: { readonly sent: number; readonly received: number } | undefined;
  #status: number | undefined;
  #hasEnded = false;
  /** By the server clock's own time. */
  #sentMs: number | undefined;
  #receivedMs: number | undefined;

  constructor(parts: {
    readonly request: WireRequest;
    readonly settings: Settings;
    readonly connections: Connections;
    readonly onEnd: (exchange: Exchange) => void;
  }) {
    this.#request = parts.request;
    this.#settings = parts.settings;
    this.#connections = parts.connections;
    this.#onEnd = parts.onEnd;
    // Whoever waits gets the rejection through `open`; when nobody waits any more it is no unhandled one.
    this.#broken.promise.catch(() => undefined);
  }

  get procedure(): Procedure {
    return this.#request.procedure;
  }

  get #idleTimeoutMs(): number {
    const { idleTimeoutMs = this.#settings.idleTimeoutMs, patience = 1 } = this.#request;
    return idleTimeoutMs * patience;
  }

  /** What the answer's `Date` is worth: when its request had a connection, and when its head came. */
  get trip(): { readonly sentMs: number; readonly receivedMs: number } | undefined {
    const [sentMs, receivedMs] = [this.#sentMs, this.#receivedMs];
    return sentMs === undefined || receivedMs === undefined ? undefined : { sentMs, receivedMs };
  }

  /** Whether any byte of the request left this process. */
  get requestSent(): boolean {
    return this.#handedOver !== undefined && (this.#wire?.socket.bytesWritten ?? 0) > this.#handedOver.sent;
  }

  get reusedConnection(): boolean {
    return this.#clientRequest?.reusedSocket === true;
  }

  /**
   * True when a kept-alive connection broke before the first byte of an answer: most likely the server had closed it
   * while it lay idle, and a fresh one will do.
   */
  get foundStaleConnection(): boolean {
    const received = this.#wire?.socket.bytesRead;
    return this.#verdict === undefined && this.reusedConnection && received === this.#handedOver?.received;
  }

  /** @throws the abort's reason, or a DeviceApiError when no answer came */
  async open(): Promise<Response> {
    const { signal, method, path, headers, body } = this.#request;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    this.#arm("connect", this.#settings.connectTimeoutMs);
    try {
      const answered = fetch(`${this.#settings.server.origin}${path}`, {
        method,
        headers: { "User-Agent": this.#settings.userAgent, "Accept-Encoding": "identity", ...headers },
        ...(body !== undefined && { body: Buffer.from(body) }),
        agent: this.#connections.agentFor(this, this.#request.clientCertificate),
        // A redirect is a captive portal or a wrong server; the CIK must not follow it there.
        redirect: "manual",
        compress: false,
      });
      return await Promise.race([answered, this.#broken.promise]);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** The body as it arrives. Time that the reader takes between two chunks does not count as idle. */
  async *chunks(response: Response): AsyncGenerator<Buffer, void, undefined> {
    try {
      for await (const chunk of response.body ?? []) {
        this.#disarm();
        yield chunk as Buffer;
        this.#arm("idle", this.#idleTimeoutMs);
      }
    } catch (error) {
      throw this.#failed(error);
    } finally {
      // Reached with the exchange still open only when the reader left early.
      this.abandon();
    }
  }

  /** Ends the exchange from this side; what waits on it rejects with `reason`. */
  fail(reason: unknown): void {
    if (this.#hasEnded || this.#verdict !== undefined) return;
    this.#verdict = { reason };
    this.abandon();
    this.#broken.reject(reason);
  }

  /** Closes the connection of an exchange whose answer nobody wants to read to its end. */
  abandon(): void {
    if (this.#hasEnded) return;
    this.#breakConnection();
    this.#end();
  }

  requested(request: ClientRequest): void {
    this.#clientRequest = request;
    request.once("error", (error) => {
      this.#systemError = error;
    });
    request.once("socket", (socket) => {
      const wire = this.#connections.wireOf(socket);
      this.#wire = wire;
      this.#handedOver = { sent: wire?.socket.bytesWritten ?? 0, received: wire?.socket.bytesRead ?? 0 };
      this.#sentMs = this.#settings.serverClock?.nowMs();
      const uploadMs = Math.floor((this.#request.body?.length ?? 0) / slowestUplinkBytesPerMs / 1000) * 1000;
      this.#arm("idle", this.#idleTimeoutMs + uploadMs + (this.#request.holdMs ?? 0));
    });
    request.once("response", (message: IncomingMessage) => {
      this.#status = message.statusCode;
      this.#receivedMs = this.#settings.serverClock?.nowMs();
      this.#arm("idle", this.#idleTimeoutMs);
      // In this very turn the connection is still ours: an instant later the next exchange may use it, and neither
      // its bytes nor its end are our business then.
      message.once("end", () => this.#end());
    });
  }

  opening(wire: Wire): void {
    this.#wire = wire;
    if (this.#verdict !== undefined) this.#breakConnection();
  }

  readonly #onAbort = (): void => this.fail(this.#request.signal?.reason);

  #failed(error: unknown): unknown {
    const { procedure, requestSent } = this;
    this.abandon();
    if (this.#verdict !== undefined) return this.#verdict.reason;
    const cause = this.#systemError ?? error;
    const facts = { procedure, server: this.#settings.server.origin, requestSent };
    return connectionFailure(cause, facts) ?? error;
  }

  #arm(phase: "connect" | "idle", ms: number): void {
    this.#disarm();
    if (this.#hasEnded) return;
    this.#timer = setTimeout(() => {
      const { procedure, requestSent } = this;
      const what = phase === "connect" ? "no connection" : "no byte from the server";
      const context = { server: this.#settings.server.origin, limitMs: ms };
      this.fail(
        new TimeoutError(`${procedure}: ${what} for ${ms} ms`, { procedure, phase, requestSent, context }),
      );
    }, ms);
  }

  #disarm(): void {
    clearTimeout(this.#timer);
  }

  #countBytes(): void {
    this.#bytes ??= this.#wire?.takeBytes();
  }

  #breakConnection(): void {
    this.#countBytes();
    this.#clientRequest?.destroy();
    this.#wire?.socket.destroy();
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#disarm();
    this.#request.signal?.removeEventListener("abort", this.#onAbort);
    this.#countBytes();
    this.#onEnd(this);
    this.#settings.audit?.({
      consumer: this.#request.consumer,
      procedure: this.#request.procedure,
      status: this.#status,
      bytesSent: this.#bytes?.sent ?? 0,
      bytesReceived: this.#bytes?.received ?? 0,
      durationMs: performance.now() - this.#startedMs,
      localAddress: this.#wire?.localAddress,
      reusedConnection: this.reusedConnection,
    });
  }
}
