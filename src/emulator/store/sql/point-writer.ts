import type { Reading, Write } from "../store.ts";
import type { Point, Value } from "../types.ts";
import type { Work } from "./statement.ts";

export interface DataportOptions {
  /** A write to an alias that does not exist makes it; otherwise it is skipped. */
  readonly createMissing: boolean;
  /** Points kept per dataport. */
  readonly historyLimit: number;
}

/**
 * A record further ahead of the server's clock is kept as history but never becomes the latest value: every later
 * write, stamped after the latest, would inherit the wrong year.
 */
export const maxAheadS = 600;

/** A quarter of slack: pruning at every write would double its cost. */
export function pruneBeyond(historyLimit: number): number {
  return Math.floor(historyLimit * 1.25 + 8);
}

/** Adds values to dataports, inside the caller's transaction. */
export interface PointWriter {
  /** A value as of now: the latest from here on. Resolves to the second that it got; undefined: there is no such dataport. */
  write(clientId: number, alias: string, value: Value, now: number): Work<number | undefined>;
  /** All writes, then the latest values of the aliases to read, in their order. */
  writeRead(
    clientId: number,
    writes: readonly Write[],
    reads: readonly string[],
    now: number,
  ): Work<readonly Reading[]>;
  /** Values of other times; the newest becomes the latest if nothing newer is there. */
  record(clientId: number, alias: string, points: readonly Point[], now: number): Work<void>;
}
