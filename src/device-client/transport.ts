import type { Response } from "node-fetch";
import { Connections } from "./connections.ts";
import { ClientClosedError } from "./errors.ts";
import { Exchange } from "./exchange.ts";
import { cikMask, malformed, statusFailure } from "./failures.ts";
import { isWebPage, parseContentLength, parseHttpDate } from "./http-values.ts";
import type { Settings } from "./options.ts";
import type { CompleteAnswer, OpenAnswer, RequestSender, WireRequest } from "./wire.ts";

/** Of an error's body only the start is of use; more is read only to keep the connection. */
const errorBodyLimitBytes = 65_536;

/** Sends requests over kept-alive connections and tells good answers from bad. Shared by all identities. */
export class Transport implements RequestSender {
  readonly settings: Settings;
  readonly #connections: Connections;
  readonly #running = new Set<Exchange>();
  #isClosed = false;

  constructor(settings: Settings) {
    this.settings = settings;
    this.#connections = new Connections(settings);
  }

  async send(request: WireRequest, expected: readonly number[]): Promise<CompleteAnswer> {
    const opened = await this.#open(request);
    const answer = await this.#complete(request, opened);
    if (!expected.includes(answer.status)) throw statusFailure(answer);
    const encoding = answer.header("content-encoding");
    if (encoding !== null && encoding !== "identity") throw malformed(answer, `encoded as ${encoding}`);
    if (isWebPage(answer.header("content-type"), answer.text)) throw malformed(answer, "a web page");
    const { trip } = opened.exchange;
    const dateMs = answer.serverTimeMs;
    if (trip !== undefined && dateMs !== undefined) this.settings.serverClock?.heard({ dateMs, ...trip });
    return answer;
  }

  async open(request: WireRequest, expected: readonly number[]): Promise<OpenAnswer> {
    const opened = await this.#open(request);
    if (!expected.includes(opened.response.status)) {
      throw statusFailure(await this.#complete(request, opened));
    }
    return {
      ...completed(request, opened.response, ""),
      chunks: () => opened.exchange.chunks(opened.response),
      abandon: () => opened.exchange.abandon(),
    };
  }

  /** Ends running exchanges with ClientClosedError and closes every connection. */
  close(): void {
    this.#isClosed = true;
    for (const exchange of this.#running) {
      const { procedure } = exchange;
      exchange.fail(new ClientClosedError(`${procedure}: the client was closed`, { procedure }));
    }
    this.#connections.close();
  }

  /**
   * A kept-alive connection that turns out to be dead is replaced once, where repeating is safe. A write is repeated
   * only when none of its bytes had left: a reset does not tell whether the server acted on them first.
   */
  async #open(request: WireRequest): Promise<Opened> {
    const first = this.#start(request);
    try {
      return { exchange: first, response: await first.open() };
    } catch (error) {
      // Idle connections of the same age are as dead as the one that just failed.
      if (first.reusedConnection) this.#connections.dropIdle();
      if (!first.foundStaleConnection || (first.requestSent && !request.repeatable)) throw error;
    }
    const second = this.#start(request);
    return { exchange: second, response: await second.open() };
  }

  #start(request: WireRequest): Exchange {
    const { procedure, signal } = request;
    signal?.throwIfAborted();
    if (this.#isClosed) throw new ClientClosedError(`${procedure}: the client is closed`, { procedure });
    const exchange = new Exchange({
      request,
      settings: this.settings,
      connections: this.#connections,
      onEnd: (ended) => this.#running.delete(ended),
    });
    this.#running.add(exchange);
    return exchange;
  }

  async #complete(request: WireRequest, { exchange, response }: Opened): Promise<CompleteAnswer> {
    const isError = response.status >= 400;
    const limit = isError ? errorBodyLimitBytes : this.settings.maxAnswerBytes;
    const announcedBytes = parseContentLength(response.headers.get("content-length")) ?? 0;
    if (announcedBytes > limit && !isError) {
      exchange.abandon();
      throw malformed(completed(request, response, ""), `${announcedBytes} bytes, more than ${limit}`);
    }
    const body = await collect(exchange, response, limit);
    const answer = completed(request, response, body.text);
    // Of an error the status says enough: that its explanation is cut or too long changes nothing.
    const endedByCaller = request.signal?.aborted === true || this.#isClosed;
    if (body.failure !== undefined && (!isError || endedByCaller)) throw body.failure.reason;
    if (body.isTooLong && !isError) throw malformed(answer, `more than ${limit} bytes`);
    return answer;
  }
}

interface Opened {
  readonly exchange: Exchange;
  readonly response: Response;
}

interface Collected {
  readonly text: string;
  readonly isTooLong: boolean;
  readonly failure?: { readonly reason: unknown };
}

async function collect(exchange: Exchange, response: Response, limit: number): Promise<Collected> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of exchange.chunks(response)) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > limit) break;
    }
  } catch (reason) {
    return { text: Buffer.concat(chunks).toString(), isTooLong: false, failure: { reason } };
  }
  return { text: Buffer.concat(chunks).toString(), isTooLong: length > limit };
}

function completed(request: WireRequest, response: Response, text: string): CompleteAnswer {
  return {
    procedure: request.procedure,
    status: response.status,
    header: (name) => response.headers.get(name),
    text,
    serverTimeMs: parseHttpDate(response.headers.get("date")),
    mask: cikMask(request.secret),
  };
}
