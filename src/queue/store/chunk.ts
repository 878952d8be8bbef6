import { InvariantError } from "../../core/errors.ts";
import type { Lane, Series, StampedBy } from "../types.ts";

/** One entry of a chunk. */
export interface Entry {
  readonly alias: string;
  /** Unix milliseconds. */
  readonly timeMs: number;
  readonly value: string;
}

/** A chunk's row, without its payload. */
export interface ChunkHead {
  readonly first_seq: number;
  readonly identity: number;
  readonly lane: number;
  readonly priority: number;
  readonly stamped_by: number;
  readonly boot: number;
  readonly at_ms: number;
  readonly since_boot_ms: number;
  readonly entries: number;
  readonly bytes: number;
  /** How many entries at its front are gone, and their bytes. */
  readonly gone: number;
  readonly gone_bytes: number;
}

export interface Chunk extends ChunkHead {
  readonly payload: string;
}

/** What an entry counts beyond its alias and value: times, quotes, its share of a row. */
const overheadBytes = 32;

export function entryBytes(alias: string, value: string): number {
  return Buffer.byteLength(alias) + Buffer.byteLength(value) + overheadBytes;
}

export function seriesBytes({ alias, values }: Series): number {
  let bytes = values.length * (Buffer.byteLength(alias) + overheadBytes);
  for (const value of values) bytes += Buffer.byteLength(value);
  return bytes;
}

/** @throws InvariantError for a payload that is none of ours */
export function decodePayload(payload: string): Entry[] {
  const runs: unknown = JSON.parse(payload);
  const entries: Entry[] = [];
  if (!Array.isArray(runs)) throw new InvariantError("a chunk's payload is no list");
  for (const run of runs as unknown[]) {
    if (!Array.isArray(run) || typeof run[0] !== "string")
      throw new InvariantError("a chunk's run is no list");
    const alias = run[0];
    for (let index = 1; index < run.length; index += 2) {
      const timeMs: unknown = run[index];
      const value: unknown = run[index + 1];
      if (typeof timeMs !== "number" || typeof value !== "string") {
        throw new InvariantError("a chunk's entry is not a time and a value");
      }
      entries.push({ alias, timeMs, value });
    }
  }
  return entries;
}

const lanes: readonly Lane[] = ["live", "backlog"];
export const laneNumber = (lane: Lane): number => (lane === "live" ? 0 : 1);
export const laneOf = (number: number): Lane => lanes[number] ?? "backlog";
export const stampNumber = (stampedBy: StampedBy): number => (stampedBy === "app" ? 0 : 1);

/** Gathers entries of one commit into the payload of one chunk. */
export class ChunkBuilder {
  entries = 0;
  bytes = 0;
  private readonly runs: (string | number)[][] = [];

  /** Takes as many of the series' entries from `from` on as fit. @returns the index of the first that did not */
  add({ alias, times, values }: Series, from: number): number {
    const aliasBytes = Buffer.byteLength(alias) + overheadBytes;
    let run = this.runs.at(-1);
    if (run?.[0] !== alias) {
      run = [alias];
      this.runs.push(run);
    }
    let index = from;
    for (; index < values.length; index++) {
      const value = values[index] as string;
      const bytes = aliasBytes + Buffer.byteLength(value);
      if (this.entries > 0 && this.bytes + bytes > maxChunkBytes) break;
      run.push(times[index] as number, value);
      this.entries += 1;
      this.bytes += bytes;
    }
    return index;
  }

  payload(): string {
    return JSON.stringify(this.runs);
  }
}

/** So that reading, dropping and delivering never hold much in memory; one entry may be larger. */
export const maxChunkBytes = 64 * 1024;
