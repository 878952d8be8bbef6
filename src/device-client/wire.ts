import type { Procedure } from "./api.ts";
import type { ClientCertificate } from "./options.ts";

/** One request as a procedure wants it on the wire. */
export interface WireRequest {
  readonly procedure: Procedure;
  readonly method: "GET" | "POST";
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** How long the server may hold the answer back on purpose. */
  readonly holdMs?: number;
  /** In place of the client's own. */
  readonly idleTimeoutMs?: number;
  /** How many idle time-outs an answer is waited for; 1 by default. */
  readonly patience?: number;
  /** Whether doing it twice leaves what doing it once leaves. */
  readonly repeatable: boolean;
  readonly signal: AbortSignal | undefined;
  readonly clientCertificate: ClientCertificate | undefined;
  readonly consumer: string | undefined;
  /** The CIK, to be hidden in whatever is shown of the answer. */
  readonly secret: string | undefined;
}

interface AnswerHead {
  readonly procedure: Procedure;
  readonly status: number;
  readonly header: (name: string) => string | null;
  /** The server's clock, unix milliseconds. */
  readonly serverTimeMs: number | undefined;
  /** Takes every CIK out of a text that is going to be shown. */
  readonly mask: (text: string) => string;
}

/** An answer that was read in full (or, where its status is an error, as far as it came). */
export interface CompleteAnswer extends AnswerHead {
  readonly text: string;
}

/** An answer whose body is still to come. */
export interface OpenAnswer extends AnswerHead {
  readonly chunks: () => AsyncGenerator<Uint8Array, void, undefined>;
  /** Closes the connection without reading the body. */
  readonly abandon: () => void;
}

/** Sends requests to one server. `expected` are the statuses that the procedure knows as good answers. */
export interface RequestSender {
  /** @throws DeviceApiError, or the abort's reason */
  send(request: WireRequest, expected: readonly number[]): Promise<CompleteAnswer>;
  /** The same, with the body left to the caller. */
  open(request: WireRequest, expected: readonly number[]): Promise<OpenAnswer>;
}
