import type { Clock } from "../../core/clock.ts";
import type { SqliteDatabase } from "../../platform/sqlite.ts";
import type { BootClock } from "../types.ts";
import type { ChunkHead } from "./chunk.ts";

type Stamp = Pick<ChunkHead, "boot" | "at_ms" | "since_boot_ms">;

/**
 * What is known of the times of the machine's boots (durability rule 6). `boots.offset_ms` is the true wall clock less
 * the monotonic one, NULL while nobody knows it.
 */
export class Boots {
  /** Of the machine's present boot. */
  readonly current: number;
  private readonly clock: Pick<Clock, "now">;
  private readonly boot: BootClock;
  private readonly offsets: ReadonlyMap<number, number>;

  constructor(db: SqliteDatabase, boot: BootClock, clock: Pick<Clock, "now">) {
    this.clock = clock;
    this.boot = boot;
    db.prepare("INSERT INTO boots (boot_id) VALUES (?) ON CONFLICT DO NOTHING").run(boot.bootId);
    const rows = db
      .prepare<[], { id: number; boot_id: string; offset_ms: number | null }>("SELECT * FROM boots")
      .all();
    this.current = rows.find(({ boot_id }) => boot_id === boot.bootId)?.id ?? 0;
    this.offsets = new Map(
      rows.flatMap(({ id, offset_ms }) => (offset_ms === null ? [] : [[id, offset_ms] as const])),
    );
    // Chunks are in the order of boots: those before the oldest chunk's are of no more use.
    db.prepare(
      "DELETE FROM boots WHERE id < coalesce((SELECT boot FROM chunks ORDER BY first_seq LIMIT 1), ?)",
    ).run(this.current);
  }

  now(): { atMs: number; sinceBootMs: number } {
    return { atMs: this.clock.now(), sinceBootMs: Math.round(this.boot.sinceBootMs()) };
  }

  /** What must be added to times that the queue stamped in this chunk, milliseconds. */
  shiftMs({ boot, at_ms, since_boot_ms }: Stamp): number {
    const offset = this.offsets.get(boot);
    return offset === undefined ? 0 : offset + since_boot_ms - at_ms;
  }

  /** How long ago a chunk was accepted, for sure: clocks that may be wrong are not asked. */
  ageMs({ boot, since_boot_ms }: Stamp): number {
    const nowMs = this.boot.sinceBootMs();
    if (boot === this.current) return Math.max(0, nowMs - since_boot_ms);
    const then = this.offsets.get(boot);
    const now = this.offsets.get(this.current);
    if (then === undefined || now === undefined) return nowMs;
    return Math.max(nowMs, now + nowMs - (then + since_boot_ms));
  }
}
