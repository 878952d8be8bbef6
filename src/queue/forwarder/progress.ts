import type { Batch, DeadVerdict, WireEntry } from "../types.ts";

/**
 * What is left to upload of one batch. Kept while the batch waits for another attempt, so that what was answered for
 * is not sent again, and a search for what the server will not have goes on where it was.
 */
export interface Progress {
  readonly batch: Batch;
  /** To be uploaded, in order. One that was refused as a whole has been cut in two. */
  readonly spans: readonly (readonly WireEntry[])[];
  readonly dead: readonly DeadVerdict[];
}

export interface RequestLimits {
  readonly maxEntries: number;
  /** Of aliases and values, decoded. */
  readonly maxBytes: number;
}

/** The server's answer to what it will not have. */
export interface Refusal {
  readonly status: number | undefined;
  readonly answer: string | undefined;
}

export function begin(batch: Batch): Progress {
  return { batch, spans: [batch.entries], dead: [] };
}

/** The entries of the next request, at least one; empty when everything was answered for. */
export function nextRequest({ spans }: Progress, limits: RequestLimits): readonly WireEntry[] {
  const span = spans[0] ?? [];
  let bytes = 0;
  const end = span.findIndex((entry, index) => {
    bytes += Buffer.byteLength(entry.alias) + Buffer.byteLength(entry.value);
    return index > 0 && (index >= limits.maxEntries || bytes > limits.maxBytes);
  });
  return end < 0 ? span : span.slice(0, end);
}

/** The server has taken the entries of the last request. */
export function accepted(progress: Progress, request: readonly WireEntry[]): Progress {
  return { ...progress, spans: withoutFirst(progress.spans, request.length) };
}

/** The server refused the request: several entries are tried in two halves, a single one is the offender. */
export function refused(progress: Progress, request: readonly WireEntry[], refusal: Refusal): Progress {
  const rest = withoutFirst(progress.spans, request.length);
  const [only] = request;
  if (only !== undefined && request.length === 1) {
    return { ...progress, spans: rest, dead: [...progress.dead, verdict(only, refusal)] };
  }
  const middle = Math.ceil(request.length / 2);
  return { ...progress, spans: [request.slice(0, middle), request.slice(middle), ...rest] };
}

/** The store gave some entries other seconds, and gave up on those that it left out of `batch`. */
export function movedOn(progress: Progress, batch: Batch): Progress {
  const bySeq = new Map(batch.entries.map((entry) => [entry.seq, entry]));
  const spans = progress.spans.map((span) => span.flatMap(({ seq }) => bySeq.get(seq) ?? []));
  return { ...progress, batch, spans: spans.filter((span) => span.length > 0) };
}

/** The same batch, handed out again. */
export function resumed(progress: Progress, batch: Batch): Progress {
  return { ...movedOn(progress, batch), dead: progress.dead };
}

function verdict({ seq }: WireEntry, { status, answer }: Refusal): DeadVerdict {
  return {
    seq,
    reason: "rejected",
    ...(status !== undefined && { status }),
    ...(answer !== undefined && { answer }),
  };
}

function withoutFirst(
  spans: readonly (readonly WireEntry[])[],
  count: number,
): readonly (readonly WireEntry[])[] {
  const [head = [], ...rest] = spans;
  return head.length > count ? [head.slice(count), ...rest] : rest;
}
