/** The HTTP header values that the Device API makes use of. Each reader answers undefined for what it cannot read. */

/** IMF-fixdate (and the older RFC 850 form) to unix milliseconds. Other forms name no time zone: not trusted. */
export function parseHttpDate(text: string | null | undefined): number | undefined {
  if (!text || !/^[A-Z][a-z]{2,8}, .* GMT$/.test(text.trim())) return undefined;
  const parsed = Date.parse(text);
  return Number.isNaN(parsed) ? undefined : parsed;
}

/** `Last-Modified` as the Device API gives it: an HTTP date or unix seconds. Unix milliseconds. */
export function parseLastModified(text: string | null | undefined): number | undefined {
  if (text && /^\d{1,12}(\.\d{1,9})?$/.test(text.trim())) return Math.round(Number(text) * 1000);
  return parseHttpDate(text);
}

/**
 * `Retry-After` to a delay in milliseconds. A date is measured against the answer's own `Date`: the gateway's clock
 * may still be in 1970.
 */
export function parseRetryAfter(
  text: string | null | undefined,
  serverTimeMs: number | undefined,
): number | undefined {
  if (!text) return undefined;
  if (/^\d{1,9}$/.test(text.trim())) return Number(text) * 1000;
  const untilMs = parseHttpDate(text);
  if (untilMs === undefined || serverTimeMs === undefined) return undefined;
  return Math.max(0, untilMs - serverTimeMs);
}

export interface ContentRange {
  readonly first: number;
  readonly last: number;
  readonly totalBytes: number | undefined;
}

/** `bytes a-b/total` or `bytes a-b/*`. */
export function parseContentRange(text: string | null | undefined): ContentRange | undefined {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(text?.trim() ?? "");
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2]);
  const totalBytes = match[3] === "*" ? undefined : Number(match[3]);
  if (last < first || (totalBytes !== undefined && last >= totalBytes)) return undefined;
  return { first, last, totalBytes };
}

/** The total of an unsatisfied range (`bytes *` slash total), which comes with 416: how much there is. */
export function parseUnsatisfiedRange(text: string | null | undefined): number | undefined {
  const match = /^bytes \*\/(\d{1,15})$/.exec(text?.trim() ?? "");
  return match === null ? undefined : Number(match[1]);
}

export function parseContentLength(text: string | null | undefined): number | undefined {
  return text && /^\d{1,15}$/.test(text.trim()) ? Number(text) : undefined;
}

/** True where an answer is a web page: a captive portal or a proxy answered in Murano's place. */
export function isWebPage(contentType: string | null | undefined, text: string): boolean {
  if (/^\s*(text\/html|application\/xhtml\+xml)/i.test(contentType ?? "")) return true;
  return /^\s*<(!doctype|html|head|body|\?xml)/i.test(text);
}
