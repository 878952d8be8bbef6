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
  if (!Array.isArray(runs)) throw new InvariantError("a chunk's payload is no list");
  const entries: Entry[] = [];
  for (const run of runs as unknown[]) {
    const [alias, times, values] = Array.isArray(run) ? (run as unknown[]) : [];
    if (typeof alias !== "string" || !Array.isArray(times) || !Array.isArray(values)) {
      throw new InvariantError("a chunk's run is not an alias, times and values");
    }
    for (const [index, value] of (values as unknown[]).entries()) {
      const timeMs: unknown = times[index];
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

type Run = readonly [alias: string, times: readonly number[], values: readonly string[]];
type OpenRun = readonly [alias: string, times: number[], values: string[]];

/** Shorter series of the same alias are put together. */
const longSeries = 8;

/** So that reading, dropping and delivering never hold much in memory; one entry may be larger. */
const maxChunkBytes = 64 * 1024;

/** Gathers entries of one commit into the payload of one chunk. */
export class ChunkBuilder {
  entries = 0;
  bytes = 0;
  private readonly runs: Run[] = [];
  private openRun: OpenRun | undefined;

  /**
   * Takes as many of the series' entries from `from` on as fit. @returns the index of the first that did not
   * @param bytes of the whole series (`seriesBytes`)
   */
  add(series: Series, bytes: number, from: number): number {
    const { alias, times, values } = series;
    if (from > 0 || this.bytes + bytes > maxChunkBytes) return this.addWhatFits(series, from);
    this.entries += values.length;
    this.bytes += bytes;
    if (values.length >= longSeries) {
      this.runs.push([alias, times, values]);
      this.openRun = undefined;
    } else {
      for (let index = 0; index < values.length; index++) this.push(series, index);
    }
    return values.length;
  }

  payload(): string {
    return JSON.stringify(this.runs);
  }

  private addWhatFits(series: Series, from: number): number {
    const { alias, values } = series;
    let index = from;
    for (; index < values.length; index++) {
      const bytes = entryBytes(alias, values[index] as string);
      if (this.entries > 0 && this.bytes + bytes > maxChunkBytes) break;
      this.push(series, index);
      this.entries += 1;
      this.bytes += bytes;
    }
    return index;
  }

  private push({ alias, times, values }: Series, index: number): void {
    const time = times[index] as number;
    const value = values[index] as string;
    if (this.openRun?.[0] === alias) {
      this.openRun[1].push(time);
      this.openRun[2].push(value);
    } else {
      this.openRun = [alias, [time], [value]];
      this.runs.push(this.openRun);
    }
  }
}
