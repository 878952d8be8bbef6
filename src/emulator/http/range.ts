/** Bytes wanted of a content; `end` is inclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Reads a Range header for a content of `total` bytes: `bytes=X-`, `bytes=X-Y`, `bytes=-N`. What is not one such
 * range (several ranges, another unit) is ignored, as RFC 9110 has it: the whole is served.
 */
export function parseRange(
  header: string | undefined,
  total: number,
): ByteRange | "unsatisfiable" | undefined {
  const match = /^bytes=\s*(\d*)-(\d*)\s*$/.exec(header ?? "");
  if (!match) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "") {
    if (last === "") return undefined;
    const length = Math.min(Number(last), total);
    return length === 0 ? "unsatisfiable" : { start: total - length, end: total - 1 };
  }
  const start = Number(first);
  const end = last === "" ? total - 1 : Math.min(Number(last), total - 1);
  if (last !== "" && Number(last) < start) return undefined;
  return start >= total ? "unsatisfiable" : { start, end };
}
