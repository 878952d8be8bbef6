import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Clock } from "../../core/clock.ts";
import { describeError } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import { HttpProblem } from "../errors.ts";
import type { Strike } from "../faults/fault.ts";
import type { FaultBox } from "../faults/fault-box.ts";
import { maxBodyBytes } from "../limits.ts";
import type { OpenRequest, RequestLog } from "../request-log/request-log.ts";
import type { ServerClock } from "../server-clock.ts";
import { ClientGone, readBody } from "./body.ts";
import { Call, productOfHost } from "./call.ts";
import { type Reply, text } from "./reply.ts";
import type { Route, Router } from "./router.ts";
import { send } from "./send.ts";

export interface RequestHandlerParts {
  readonly router: Router;
  readonly faults: FaultBox;
  readonly requestLog: RequestLog;
  readonly serverClock: ServerClock;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Notes who is asking, as far as the CIK tells. */
  readonly identify: (call: Call) => Promise<unknown>;
  /** Resolves when other processes are told what changed here: what is answered is known everywhere. */
  readonly announced?: (() => Promise<void>) | undefined;
}

/** A request that carries it is neither struck by faults nor logged: for whoever stages a test or a demo. */
const bypassHeader = "x-emulator-bypass";

/** Tells that the connection was destroyed on purpose: there is nothing left to answer. */
const dropped = Symbol("dropped");
type Outcome = Reply | typeof dropped;

/** Turns requests into answers: route, body, faults, handler, faults again, log. */
export function requestHandler(parts: RequestHandlerParts): RequestListener {
  return (request, response) => {
    void new Exchange(parts, request, response).run();
  };
}

/** One request and its answer. */
class Exchange {
  readonly #parts: RequestHandlerParts;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #bytesWrittenBefore: number;
  #bytesRead = 0;
  #strike: Strike | undefined;

  constructor(parts: RequestHandlerParts, request: IncomingMessage, response: ServerResponse) {
    this.#parts = parts;
    this.#request = request;
    this.#response = response;
    this.#bytesWrittenBefore = request.socket.bytesWritten;
  }

  async run(): Promise<void> {
    const { router, serverClock } = this.#parts;
    const response = this.#response;
    response.sendDate = false;
    response.setHeader("Date", serverClock.httpDate());
    const { path, query } = splitUrl(this.#request.url ?? "/");
    const found = router.find(this.#request.method ?? "GET", path);
    const call = new Call({
      request: this.#request,
      path,
      query,
      params: found.route ? found.params : [],
      hostProduct: productOfHost(this.#request.headers.host),
      onGone: (listener) => {
        response.once("close", listener);
        return () => response.removeListener("close", listener);
      },
    });
    const aside = found.route?.admin || this.#request.headers[bypassHeader] !== undefined;
    if (found.route && aside) {
      const { route } = found;
      return this.#finish(await this.#attempt(() => this.#handle(route, call)));
    }
    await this.#logged(call, found.route, () =>
      this.#attempt(() => {
        if (found.route) return this.#struck(found.route, call);
        throw notFound(found.allow);
      }),
    );
  }

  /** Runs a request between its two lines in the log. */
  async #logged(call: Call, route: Route | undefined, work: () => Promise<Outcome>): Promise<void> {
    const { requestLog, serverClock, clock } = this.#parts;
    const startedAt = clock.monotonic();
    const open: OpenRequest = {
      timeMs: serverClock.nowMs(),
      method: call.method,
      path: redactedPath(call),
      procedure: route ? procedureOf(route, call) : "unknown",
      notes: call.notes,
    };
    requestLog.begin(open);
    call.onIdentified = () => requestLog.touch();
    const end = (status: number) =>
      requestLog.end(open, {
        timeMs: open.timeMs,
        durationMs: clock.monotonic() - startedAt,
        method: open.method,
        path: open.path,
        procedure: open.procedure,
        product: call.notes.product ?? null,
        device: call.notes.device ?? null,
        status,
        wrote: call.notes.wrote ?? [],
        requestBytes: this.#bytesRead,
        responseBytes: Math.max(0, this.#request.socket.bytesWritten - this.#bytesWrittenBefore),
        faults: this.#strike?.ids ?? [],
      });
    const outcome = await work();
    if (outcome === dropped || this.#response.destroyed) {
      if (outcome !== dropped) this.#discard(outcome);
      this.#request.socket.destroy();
      end(0);
      return;
    }
    this.#response.once("close", () => end(outcome.status));
    await this.#finish(outcome);
  }

  /** Faults, then the handler, then the faults that spare the request but not its answer. */
  async #struck(route: Route, call: Call): Promise<Outcome> {
    const { faults, identify, clock } = this.#parts;
    await this.#readBody(route, call);
    if (faults.needsDevice) {
      call.notes.device = route.device?.(call);
      await identify(call);
    }
    const strike = faults.strike({
      procedure: procedureOf(route, call),
      method: call.method,
      path: call.path,
      product: call.notes.product,
      device: call.notes.device,
    });
    this.#strike = strike;
    if (!strike) return this.#carryOut(route, call);
    if (strike.latencyMs > 0) await clock.sleep(strike.latencyMs);
    if (strike.drop === "before" || this.#response.destroyed) return dropped;
    if (strike.answer?.when === "before") return faultReply(strike.answer);
    const outcome = await this.#attempt(() => this.#carryOut(route, call));
    if (strike.drop !== "after" && !strike.answer) return outcome;
    if (outcome !== dropped) this.#discard(outcome);
    return strike.answer ? faultReply(strike.answer) : dropped;
  }

  async #handle(route: Route, call: Call): Promise<Reply> {
    await this.#readBody(route, call);
    return this.#carryOut(route, call);
  }

  async #carryOut(route: Route, call: Call): Promise<Reply> {
    const reply = await route.handle(call);
    if (route.method !== "GET") await this.#parts.announced?.();
    return reply;
  }

  async #readBody(route: Route, call: Call): Promise<void> {
    if (route.streamsBody) {
      this.#request.on("data", (chunk: Buffer) => {
        this.#bytesRead += chunk.length;
      });
      this.#request.pause();
      return;
    }
    call.body = await readBody(this.#request, route.maxBodyBytes ?? maxBodyBytes);
    this.#bytesRead = call.body.length;
  }

  /** What was thrown as an answer. */
  async #attempt(work: () => Promise<Outcome>): Promise<Outcome> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ClientGone) return dropped;
      if (error instanceof HttpProblem) {
        const answer = text(error.status, `${error.message}\n`);
        return { ...answer, headers: { ...answer.headers, ...error.headers } };
      }
      const { method, url = "" } = this.#request;
      const { path } = splitUrl(url);
      this.#parts.logger.error("request failed", { method, path, error: describeError(error) });
      return text(500, "internal error\n");
    }
  }

  async #finish(outcome: Outcome): Promise<void> {
    if (outcome === dropped) {
      this.#request.socket.destroy();
      return;
    }
    const strike = this.#strike;
    const limited = strike?.cutAfterBytes !== undefined || strike?.bytesPerSecond !== undefined;
    try {
      await send(this.#response, outcome, limited ? strike : undefined, this.#parts.clock);
    } catch (error) {
      this.#parts.logger.error("answer failed", { error: describeError(error) });
    }
    // A body that nobody wanted is read to its end all the same: closing on it could cost the client the answer.
    if (!this.#request.complete) this.#request.resume();
  }

  #discard({ body }: Reply): void {
    if (typeof body === "object" && "stream" in body) body.stream.destroy();
  }
}

function faultReply({ status, headers, body = "" }: NonNullable<Strike["answer"]>): Reply {
  return { status, headers: { "Content-Type": "text/plain; charset=utf-8", ...headers }, body };
}

function notFound(allow: readonly string[]): HttpProblem {
  if (allow.length === 0) return new HttpProblem(404, "no such endpoint");
  return new HttpProblem(405, "method not allowed", { Allow: allow.join(", ") });
}

function procedureOf(route: Route, call: Call): string {
  return typeof route.procedure === "string" ? route.procedure : route.procedure(call);
}

function splitUrl(url: string): { readonly path: string; readonly query: string } {
  const at = url.indexOf("?");
  const path = at < 0 ? url : url.slice(0, at);
  // `:` may come encoded.
  return {
    path: path.replace(/^\/onep%3Av1\//i, "/onep:v1/"),
    query: at < 0 ? "" : url.slice(at + 1),
  };
}

/** A client that puts its CIK into a URL must not find it in the log. */
function redactedPath(call: Call): string {
  const url = call.queryText === "" ? call.path : `${call.path}?${call.queryText}`;
  return url.replaceAll(/[0-9a-zA-Z]{40,}/g, "[redacted]");
}
