import type { Readable } from "node:stream";
import { csvLine } from "./csv.ts";

/** What a route answers. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | StreamBody;
}

/** A body too large to hold, or one that goes on. */
export interface StreamBody {
  readonly stream: Readable;
  /** Undefined: not known before its end. */
  readonly sizeBytes: number | undefined;
}

export const formType = "application/x-www-form-urlencoded; charset=utf-8";
const csvType = "text/csv; charset=utf-8";
const textType = "text/plain; charset=utf-8";

export const noContent: Reply = { status: 204 };

/** The management side's answer to a change. */
export const changed: Reply = { status: 205 };

export function text(status: number, body: string): Reply {
  return { status, headers: { "Content-Type": textType }, body };
}

export function json(status: number, value: unknown): Reply {
  return {
    status,
    headers: { "Content-Type": "application/json; charset=utf-8" },
    body: JSON.stringify(value),
  };
}

/** 200 with one row a line; an empty list is 204. */
export function csv(rows: readonly (readonly (string | number | boolean)[])[]): Reply {
  if (rows.length === 0) return noContent;
  return { status: 200, headers: { "Content-Type": csvType }, body: rows.map(csvLine).join("") };
}
