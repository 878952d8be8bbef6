import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { Clock } from "../../core/clock.ts";
import type { Reply, StreamBody } from "./reply.ts";

/** What a fault does to an answer's body. */
export interface BodyLimits {
  readonly cutAfterBytes: number | undefined;
  readonly bytesPerSecond: number | undefined;
}

/** Statuses whose answers have no body and no Content-Length. */
const bodiless = new Set([204, 304]);

/** Sends an answer; resolves when it is with the operating system, or the connection is gone. */
export async function send(
  response: ServerResponse,
  reply: Reply,
  limits: BodyLimits | undefined,
  clock: Pick<Clock, "sleep">,
): Promise<void> {
  const { status, headers = {}, body = "" } = reply;
  const stream = typeof body === "object" && "stream" in body ? body : undefined;
  if (stream || limits) {
    await sendChunks(response, reply, chunksOf(body), limits ?? noLimits, clock);
    return;
  }
  const whole = body as string | Buffer;
  if (bodiless.has(status)) {
    response.writeHead(status, headers).end();
  } else {
    response.writeHead(status, { ...headers, "Content-Length": Buffer.byteLength(whole) }).end(whole);
  }
}

const noLimits: BodyLimits = { cutAfterBytes: undefined, bytesPerSecond: undefined };

interface Chunks {
  readonly sizeBytes: number | undefined;
  readonly source: AsyncIterable<Buffer> | Iterable<Buffer>;
}

function chunksOf(body: string | Buffer | StreamBody): Chunks {
  if (typeof body === "object" && "stream" in body) return { sizeBytes: body.sizeBytes, source: body.stream };
  const whole = Buffer.from(body);
  return { sizeBytes: whole.length, source: whole.length === 0 ? [] : [whole] };
}

async function sendChunks(
  response: ServerResponse,
  { status, headers = {}, body = "" }: Reply,
  { sizeBytes, source }: Chunks,
  limits: BodyLimits,
  clock: Pick<Clock, "sleep">,
): Promise<void> {
  const length = bodiless.has(status) || sizeBytes === undefined ? {} : { "Content-Length": sizeBytes };
  response.writeHead(status, { ...headers, ...length });
  try {
    if (limits.cutAfterBytes === undefined && limits.bytesPerSecond === undefined) {
      await pipeline(source, response);
      return;
    }
    // The headers go out at once, as they would from a server that then stalls.
    response.flushHeaders();
    const cut = await sendLimited(response, source, limits, clock);
    if (cut) response.socket?.destroy();
    else response.end();
  } catch (error) {
    // The status is out: what is left to tell the client is a cut body.
    response.destroy();
    if (!isGone(error)) throw error;
  } finally {
    if (typeof body === "object" && "stream" in body) body.stream.destroy();
  }
}

/** Resolves to true when the body was cut. */
async function sendLimited(
  response: ServerResponse,
  source: Chunks["source"],
  { cutAfterBytes = Infinity, bytesPerSecond }: BodyLimits,
  clock: Pick<Clock, "sleep">,
): Promise<boolean> {
  // Ten pieces a second: slow bodies trickle instead of coming in bursts.
  const piece = bytesPerSecond === undefined ? Infinity : Math.max(1, Math.ceil(bytesPerSecond / 10));
  let left = cutAfterBytes;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; at += piece) {
      const part = chunk.subarray(at, Math.min(chunk.length, at + piece, at + left));
      // Before, not after: the last byte arrives when its time has come.
      if (bytesPerSecond !== undefined) await clock.sleep((part.length / bytesPerSecond) * 1000);
      if (response.destroyed) return true;
      if (part.length > 0 && !response.write(part)) await drained(response);
      left -= part.length;
      if (left <= 0) {
        await flushed(response);
        return true;
      }
    }
  }
  return false;
}

async function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed) return;
  // The listeners of the event that did not come would pile up over a large body.
  const settled = new AbortController();
  const { signal } = settled;
  const waits = ["drain", "close"].map((event) => once(response, event, { signal }));
  try {
    await Promise.race(waits);
  } finally {
    settled.abort();
    await Promise.allSettled(waits);
  }
}

/** Resolves when what was written is with the operating system. */
function flushed(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) resolve();
    else response.write("", () => resolve());
  });
}

function isGone(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ERR_STREAM_PREMATURE_CLOSE" || code === "EPIPE" || code === "ECONNRESET";
}
