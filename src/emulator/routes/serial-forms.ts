import * as z from "zod/mini";
import { describeIssues } from "../describe-issues.ts";
import { HttpProblem } from "../errors.ts";
import type { Call } from "../http/call.ts";
import { parseCsv } from "../http/csv.ts";
import { parseJson } from "../http/json.ts";
import type { SerialRange } from "../store/types.ts";
import { checkedId } from "./access.ts";

const bound = z.union([z.number().check(z.int(), z.gte(0)), z.string().check(z.regex(/^[0-9]{1,30}$/))]);

const rangesSchema = z.object({
  ranges: z
    .array(
      z.object({
        format: z.enum(["base10", "base16", "mac:48", "mac-48", "mac.48"]),
        length: z.optional(z.number().check(z.int(), z.gte(1), z.lte(64))),
        casing: z.optional(z.enum(["upper", "lower"])),
        first: bound,
        last: bound,
      }),
    )
    .check(z.minLength(1)),
});

const macLengths = { "mac:48": 17, "mac-48": 17, "mac.48": 14 } as const;

/** Serials of a request that adds or removes some: form fields, CSV rows, or ranges in JSON. */
export type SerialBatch =
  | { readonly kind: "serials"; readonly serials: readonly { readonly sn: string; readonly extra: string }[] }
  | { readonly kind: "ranges"; readonly ranges: readonly SerialRange[] };

/** @throws HttpProblem 400 naming what is wrong, 415 for another type of body */
export function parseSerialBatch(call: Call): SerialBatch {
  if (call.hasType("application/json")) return { kind: "ranges", ranges: parseRanges(call.body.toString()) };
  if (call.hasType("text/csv")) {
    const serials = parseCsv(call.body.toString()).map(([sn = "", extra = ""]) => ({ sn, extra }));
    return { kind: "serials", serials: checkSerials(serials) };
  }
  const form = call.form();
  const extra = form.get("extra") ?? "";
  return { kind: "serials", serials: checkSerials(form.all("sn").map((sn) => ({ sn, extra }))) };
}

function checkSerials<T extends { readonly sn: string }>(serials: readonly T[]): readonly T[] {
  if (serials.length === 0) throw new HttpProblem(400, "no serial number");
  for (const { sn } of serials) checkedId(sn, "sn");
  return serials;
}

function parseRanges(text: string): SerialRange[] {
  const parsed = rangesSchema.safeParse(parseJson(text));
  if (!parsed.success) throw new HttpProblem(400, describeIssues(parsed.error));
  return parsed.data.ranges.map(({ format, length, casing, first, last }) => {
    if (BigInt(first) > BigInt(last)) throw new HttpProblem(400, "a range ends before it begins");
    if (length === undefined && (format === "base10" || format === "base16")) {
      throw new HttpProblem(400, `a ${format} range needs a length`);
    }
    return {
      format,
      length: format === "base10" || format === "base16" ? (length ?? 0) : macLengths[format],
      casing: casing ?? null,
      first: String(first),
      last: String(last),
    };
  });
}

/** Ranges as `?show=ranges` gives them: numbers where a double holds them. */
export function rangesJson(ranges: readonly SerialRange[]): unknown {
  const plain = (digits: string) => (Number.isSafeInteger(Number(digits)) ? Number(digits) : digits);
  return {
    ranges: ranges.map(({ format, length, casing, first, last }) => ({
      format,
      length,
      ...(casing && { casing }),
      first: plain(first),
      last: plain(last),
    })),
  };
}
