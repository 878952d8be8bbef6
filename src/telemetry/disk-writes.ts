import * as z from "zod/mini";

const hourMs = 3_600_000;
const dayHours = 24;

const stateSchema = z.object({
  /** The process whose counter was read last, by the moment of its start, and what the counter said. */
  last: z.optional(z.object({ process: z.number(), bytes: z.number().check(z.gte(0)) })),
  /** Bytes by hour since 1970, in no order; at most a day's. */
  hours: z.array(z.object({ hour: z.number(), bytes: z.number().check(z.gte(0)) })),
});

/** What the engine has written to disk in the last day. Plain data, as it is kept on disk. */
export type DiskWrites = Readonly<z.infer<typeof stateSchema>>;

export interface WritesReading {
  /** Tells a process from the one before: when it started. */
  readonly process: number;
  /** Bytes since it started. */
  readonly bytes: number;
  readonly nowMs: number;
}

/** What another version wrote, or damage left, counts as nothing: counting begins anew. */
export function parseDiskWrites(kept: unknown): DiskWrites {
  const parsed = stateSchema.safeParse(kept);
  return parsed.success ? parsed.data : { hours: [] };
}

/**
 * Adds what was written since the last reading, to the hour of this one. Hours that lie ahead (the clock was set back)
 * are counted to this one: what was written is not forgotten for it.
 */
export function accumulateWrites(
  { last, hours }: DiskWrites,
  { process, bytes, nowMs }: WritesReading,
): DiskWrites {
  const now = Math.floor(nowMs / hourMs);
  const before = last?.process === process ? last.bytes : 0;
  const recent = hours.filter(({ hour }) => hour > now - dayHours && hour < now);
  const ahead = hours.filter(({ hour }) => hour >= now).reduce((sum, one) => sum + one.bytes, 0);
  return {
    last: { process, bytes },
    hours: [...recent, { hour: now, bytes: ahead + Math.max(0, bytes - before) }],
  };
}

/** Bytes in the 24 hours up to the last reading, in which the engine ran. */
export function writtenInDay({ hours }: DiskWrites): number {
  return hours.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** `write_bytes` of `/proc/<pid>/io`: what a process, and its children that have ended, had written to disk. */
export function parseWrittenBytes(text: string | undefined): number | undefined {
  const [, digits] = /^write_bytes: (\d+)$/m.exec(text ?? "") ?? [];
  return digits === undefined ? undefined : Number(digits);
}
