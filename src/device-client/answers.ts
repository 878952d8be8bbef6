/** Reads the bodies of good answers; whatever is not as the Device API promises is a MalformedAnswerError. */
import { isCik } from "../core/cik.ts";
import { parseCsv } from "../core/csv.ts";
import type { ContentInfo, LongPollAnswer } from "./api.ts";
import { malformed } from "./failures.ts";
import { decodeForm } from "./form.ts";
import { parseLastModified } from "./http-values.ts";
import type { CompleteAnswer } from "./wire.ts";

/** The values of a read. Every key must be one that was asked for: a form from elsewhere is never taken for values. */
export function parseValues(answer: CompleteAnswer, asked: readonly string[]): ReadonlyMap<string, string> {
  if (answer.status === 204) return new Map();
  const pairs = decodeForm(answer.text);
  if (pairs === undefined) throw malformed(answer, "no form of values");
  const known = new Set(asked.map((alias) => alias.toWellFormed()));
  if (!pairs.every(([alias]) => known.has(alias))) throw malformed(answer, "an alias that was not asked for");
  return new Map(pairs);
}

export function parseLongPoll(answer: CompleteAnswer, alias: string): LongPollAnswer {
  const { serverTimeMs } = answer;
  if (answer.status !== 200) return { changed: false, serverTimeMs };
  const value = parseValues(answer, [alias]).get(alias.toWellFormed());
  if (value === undefined) throw malformed(answer, "no value");
  const lastModifiedMs = parseLastModified(answer.header("last-modified"));
  return { changed: true, value, lastModifiedMs, serverTimeMs };
}

/** Exactly a CIK, give or take a line end: the old CIK is void as soon as this one was given out. */
export function parseCik(answer: CompleteAnswer): string {
  const cik = answer.text.trim();
  if (!isCik(cik)) throw malformed(answer, "no CIK");
  return cik;
}

export function parseContentList(answer: CompleteAnswer): readonly string[] {
  const rows = parseCsv(answer.text);
  if (rows === undefined) throw malformed(answer, "no CSV");
  // An id has a line of its own: a comma in it is no separator, quoted or not.
  return rows.map((row) => row.join(","));
}

/** `<content-type>,<bytes>,<updated unix ts>,<meta>` */
export function parseContentInfo(answer: CompleteAnswer, id: string): ContentInfo {
  const row = parseCsv(answer.text)?.[0] ?? answer.text.trimEnd().split(",");
  const [contentType = "", size = "", updated = "", ...meta] = row;
  // The type is empty where the owner has created the id but uploaded nothing yet.
  if (!isCount(size) || !isCount(updated)) throw malformed(answer, "no content info");
  // Some servers don't quote: what is left of the line is the meta text, commas and all.
  return {
    id,
    contentType,
    sizeBytes: Number(size),
    updatedAt: Number(updated),
    meta: meta.join(","),
  };
}

export function parseTimestamp(answer: CompleteAnswer): number {
  const text = answer.text.trim();
  if (!isCount(text)) throw malformed(answer, "no timestamp");
  return Number(text);
}

function isCount(text: string): boolean {
  return /^\d{1,15}$/.test(text);
}
