/**
 * A load generator on raw keep-alive sockets, run as a process of its own so that it does not share a thread with the
 * server. Reads one JSON line of `LoadOptions` on stdin, prints one of `LoadResult`.
 */
import { connect, type Socket } from "node:net";
import { GweError } from "../../src/core/errors.ts";
import { percentile, type Tail, tailOf } from "./percentile.ts";

export interface LoadOptions {
  readonly port: number;
  readonly connections: number;
  readonly durationMs: number;
  readonly warmUpMs: number;
  /** Whole requests as they go over the wire; of n connections the i-th sends every n-th from the i-th on, over and over. */
  readonly requests: readonly string[];
  /** Answers with another status fail the run. */
  readonly expectedStatus: readonly number[];
  /**
   * Looks for answers without ever going to sleep: how long the machine takes to wake this process is then no part of a
   * latency. For a client that has its core to itself.
   */
  readonly isPolling?: boolean;
}

export interface LoadResult extends Tail {
  readonly requestsPerSecond: number;
  readonly requests: number;
  readonly p50Ms: number;
}

class LoadError extends GweError {
  readonly code = "LOAD";
}

/** One connection: sends a request, reads the answer to its end, sends the next. */
class Connection {
  readonly #socket: Socket;
  readonly #requests: readonly Buffer[];
  readonly #onAnswer: (status: number, latencyMs: number) => void;
  #buffer = "";
  #sentAt = 0;
  #turn = 0;

  constructor(
    port: number,
    requests: readonly Buffer[],
    onAnswer: (status: number, latencyMs: number) => void,
  ) {
    this.#requests = requests;
    this.#onAnswer = onAnswer;
    this.#socket = connect({ host: "127.0.0.1", port, noDelay: true });
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (text: string) => this.#read(text));
    this.#socket.once("error", (cause) => {
      throw new LoadError("connection failed", { cause });
    });
  }

  send(): void {
    const request = this.#requests[this.#turn++ % this.#requests.length] as Buffer;
    this.#sentAt = performance.now();
    this.#socket.write(request);
  }

  end(): void {
    this.#socket.destroy();
  }

  #read(text: string): void {
    this.#buffer += text;
    const headEnd = this.#buffer.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const head = this.#buffer.slice(0, headEnd);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (this.#buffer.length < headEnd + 4 + length) return;
    this.#buffer = "";
    this.#onAnswer(Number(head.slice(9, 12)), performance.now() - this.#sentAt);
  }
}

export async function generateLoad(options: LoadOptions): Promise<LoadResult> {
  const latencies: number[] = [];
  const state = { measuring: false, running: true };
  const requests = options.requests.map((request) => Buffer.from(request));
  const connections = Array.from({ length: options.connections }, (_, index) => {
    const own = requests.filter((_request, at) => at % options.connections === index % requests.length);
    const connection: Connection = new Connection(options.port, own, (status, latencyMs) => {
      if (!options.expectedStatus.includes(status)) {
        throw new LoadError("unexpected status", { context: { status } });
      }
      if (state.measuring) latencies.push(latencyMs);
      if (state.running) connection.send();
    });
    return connection;
  });
  if (options.isPolling === true) {
    const poll = (): void => {
      if (state.running) setImmediate(poll);
    };
    poll();
  }
  for (const connection of connections) connection.send();
  await new Promise((resolve) => setTimeout(resolve, options.warmUpMs));
  state.measuring = true;
  const startedAt = performance.now();
  await new Promise((resolve) => setTimeout(resolve, options.durationMs));
  const seconds = (performance.now() - startedAt) / 1000;
  state.running = false;
  for (const connection of connections) connection.end();
  latencies.sort((a, b) => a - b);
  return {
    requests: latencies.length,
    requestsPerSecond: latencies.length / seconds,
    p50Ms: percentile(latencies, 0.5),
    ...tailOf(latencies),
  };
}

if (import.meta.main) {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const options = JSON.parse(Buffer.concat(chunks).toString()) as LoadOptions;
  process.stdout.write(`${JSON.stringify(await generateLoad(options))}\n`);
}
