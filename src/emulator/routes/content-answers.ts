import { HttpProblem } from "../errors.ts";
import type { Call } from "../http/call.ts";
import { parseRange } from "../http/range.ts";
import type { Reply } from "../http/reply.ts";
import type { ContentInfo } from "../store/types.ts";
import type { RouteParts } from "./parts.ts";

/** A content's blob, or the part of it that Range asks for. @throws HttpProblem 404, 416 */
export async function sendContent(parts: RouteParts, call: Call, content: ContentInfo): Promise<Reply> {
  const { blob, sizeBytes: total } = content;
  if (blob === undefined) throw new HttpProblem(404, "nothing was uploaded yet");
  // The blob's name changes with each upload: a resumed download notices that it would mix two contents.
  const etag = `"${blob}"`;
  const headers = {
    "Content-Type": content.contentType,
    "Accept-Ranges": "bytes",
    ETag: etag,
    "Last-Modified": new Date(content.updatedAt * 1000).toUTCString(),
  };
  const ifRange = call.header("if-range");
  const stale = ifRange !== undefined && ifRange !== etag && ifRange !== headers["Last-Modified"];
  const range = stale ? undefined : parseRange(call.header("range"), total);
  if (range === "unsatisfiable") {
    throw new HttpProblem(416, "the range lies outside the content", { "Content-Range": `bytes */${total}` });
  }
  if (total === 0) return { status: 200, headers, body: "" };
  const { start, end } = range ?? { start: 0, end: total - 1 };
  const body = { stream: await parts.blobs.read(blob, start, end), sizeBytes: end - start + 1 };
  if (!range) return { status: 200, headers, body };
  return { status: 206, headers: { ...headers, "Content-Range": `bytes ${start}-${end}/${total}` }, body };
}

/** Fields that a device and an owner see alike. */
export function infoFields({ contentType, sizeBytes, updatedAt, meta }: ContentInfo): (string | number)[] {
  return [contentType, sizeBytes, updatedAt, meta];
}
