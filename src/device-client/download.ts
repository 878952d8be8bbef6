import type { Download, DownloadRequest } from "./api.ts";
import { malformed, refused } from "./failures.ts";
import { type ContentRange, parseContentLength, parseContentRange } from "./http-values.ts";
import type { OpenAnswer } from "./wire.ts";

/**
 * `Range` of a request; undefined asks for the whole.
 *
 * @throws RejectedError for what is no range: a server would ignore it and send everything
 */
export function rangeHeader({ offset, end, lastBytes }: DownloadRequest): string | undefined {
  if (lastBytes !== undefined) {
    const isAlone = offset === undefined && end === undefined;
    if (isAlone && Number.isSafeInteger(lastBytes) && lastBytes > 0) return `bytes=-${lastBytes}`;
    throw refused("download", "lastBytes is a whole number above 0, without offset and end");
  }
  const first = offset ?? 0;
  if (!Number.isSafeInteger(first) || first < 0) throw refused("download", "offset is no byte's number");
  if (end !== undefined && !(Number.isSafeInteger(end) && end >= first)) {
    throw refused("download", "end is no byte's number from offset on");
  }
  return first === 0 && end === undefined ? undefined : `bytes=${first}-${end ?? ""}`;
}

/**
 * What a download's answer holds. A server may ignore the range: then the whole comes with 200. A 206 must begin
 * where it was asked to and bring as many bytes as it says.
 *
 * @throws MalformedAnswerError
 */
export function toDownload(answer: OpenAnswer, request: DownloadRequest): Download {
  const { serverTimeMs } = answer;
  const contentType = answer.header("content-type") ?? undefined;
  const lengthBytes = parseContentLength(answer.header("content-length"));
  if (answer.status !== 206) {
    const totalBytes = answer.status === 204 ? 0 : lengthBytes;
    return { serverTimeMs, offset: 0, totalBytes, contentType, body: answer.chunks() };
  }
  const range = parseContentRange(answer.header("content-range"));
  if (range === undefined || !isAnswerTo(request, range)) {
    answer.abandon();
    throw malformed({ ...answer, text: "" }, "a range that was not asked for");
  }
  return {
    serverTimeMs,
    offset: range.first,
    totalBytes: range.totalBytes,
    contentType,
    body: exactly(answer, range),
  };
}

function isAnswerTo(request: DownloadRequest, range: ContentRange): boolean {
  if (rangeHeader(request) === undefined) return false;
  const { offset = 0, end, lastBytes } = request;
  if (lastBytes === undefined) return range.first === offset && (end === undefined || range.last <= end);
  const { first, last, totalBytes } = range;
  if (totalBytes === undefined) return last - first + 1 <= lastBytes;
  return last === totalBytes - 1 && first === Math.max(0, totalBytes - lastBytes);
}

/** Length and range can contradict each other when a cache in between has gone wrong. */
async function* exactly(
  answer: OpenAnswer,
  range: ContentRange,
): AsyncGenerator<Uint8Array, void, undefined> {
  const expectedBytes = range.last - range.first + 1;
  let receivedBytes = 0;
  for await (const chunk of answer.chunks()) {
    receivedBytes += chunk.length;
    if (receivedBytes > expectedBytes) break;
    yield chunk;
  }
  if (receivedBytes !== expectedBytes) {
    throw malformed({ ...answer, text: "" }, `a body that is not the ${expectedBytes} bytes of its range`);
  }
}
