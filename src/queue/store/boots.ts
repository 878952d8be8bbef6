import type { SqliteDatabase } from "../../platform/sqlite.ts";
import type { Moment, TrueTime } from "../types.ts";
import type { ChunkHead } from "./chunk.ts";

type Stamp = Pick<ChunkHead, "boot" | "stamped_by" | "at_ms" | "since_boot_ms">;

interface BootRow {
  readonly id: number;
  readonly boot_id: string;
  readonly offset_ms: number | null;
  readonly estimated: number;
  readonly hardware_clock: number;
  readonly last_at_ms: number | null;
  readonly last_since_ms: number | null;
}

interface Offset {
  readonly ms: number;
  readonly isEstimated: boolean;
}

/** Between the last entry of a boot that never learned the time and the beginning of the next one. */
const gapMs = 1_000;
/** An app that takes the time before it writes, or has a clock of its own: a little ahead is still the same clock. */
const aheadMs = 60_000;

/**
 * What is known of the times of the machine's boots (docs/queue.md, "When the clock was wrong"). `boots.offset_ms` is
 * the true wall clock less the boot clock: NULL while nobody knows it, and never changed once it is there.
 */
export class Boots {
  /** Of the machine's present boot. */
  readonly current: number;
  private readonly time: TrueTime;
  private readonly rows: readonly BootRow[];
  private readonly offsets = new Map<number, Offset>();
  private readonly save;

  constructor(db: SqliteDatabase, time: TrueTime) {
    this.time = time;
    this.save = db.prepare("UPDATE boots SET offset_ms = ?, estimated = ? WHERE id = ?");
    this.rows = db.transaction(() => enter(db, time))();
    this.current = this.rows.find(({ boot_id }) => boot_id === time.bootId)?.id ?? 0;
    for (const { id, offset_ms, estimated } of this.rows) {
      if (offset_ms !== null) this.offsets.set(id, { ms: offset_ms, isEstimated: estimated === 1 });
    }
  }

  /** Of this boot; undefined while nobody knows it. */
  get offsetMs(): number | undefined {
    return this.offsets.get(this.current)?.ms;
  }

  /**
   * Takes over what became known of the time, within the transaction that is being prepared.
   * @returns what must now be added to what was stamped in this boot; undefined where nothing is new
   */
  learn(): number | undefined {
    if (this.offsets.has(this.current)) return undefined;
    const { trueMs, sinceBootMs } = this.time.now();
    if (trueMs === undefined) return undefined;
    this.settle(this.current, trueMs - sinceBootMs, false);
    this.settleEarlier();
    return this.stampShiftMs();
  }

  /** What a chunk is stamped with. */
  now(): { atMs: number; sinceBootMs: number } {
    const now = this.time.now();
    return { atMs: now.stampMs, sinceBootMs: this.sinceBootMs(now) };
  }

  /** What must be added to a time that is stamped now. 0 while nobody knows. */
  stampShiftMs(): number {
    const offset = this.offsetMs;
    const now = this.time.now();
    return offset === undefined ? 0 : offset + this.sinceBootMs(now) - now.stampMs;
  }

  /** Nobody knows yet when its entries were accepted, and their times come from the clock that was wrong. */
  isHeld(chunk: Stamp): boolean {
    // Rows are lost only in a salvage: their chunks go out as they were stamped.
    const isOpen = !this.offsets.has(chunk.boot) && this.rows.some(({ id }) => id === chunk.boot);
    return isOpen && (chunk.stamped_by === 1 || this.isPlainlyWrong(chunk));
  }

  /** What must be added to the time of an entry of this chunk, milliseconds. */
  shiftMs(chunk: Stamp, timeMs: number): number {
    const offset = this.offsets.get(chunk.boot);
    if (offset === undefined || !this.isDated(chunk, timeMs)) return 0;
    return offset.ms + chunk.since_boot_ms - chunk.at_ms;
  }

  /** Whether that time is but an estimate. */
  isEstimated(chunk: Stamp, timeMs: number): boolean {
    return this.offsets.get(chunk.boot)?.isEstimated === true && this.isDated(chunk, timeMs);
  }

  /** How long ago a chunk was accepted, for sure: clocks that may be wrong are not asked. */
  ageMs({ boot, since_boot_ms }: Stamp): number {
    const nowMs = this.sinceBootMs(this.time.now());
    if (boot === this.current) return Math.max(0, nowMs - since_boot_ms);
    const then = this.offsets.get(boot)?.ms;
    const now = this.offsetMs;
    if (then === undefined || now === undefined) return nowMs;
    return Math.max(nowMs, now + nowMs - (then + since_boot_ms));
  }

  /** The queue's own stamp, or an app's that can only come from this machine's clock when it was plainly wrong. */
  private isDated(chunk: Stamp, timeMs: number): boolean {
    if (chunk.stamped_by === 1) return true;
    const { at_ms, since_boot_ms } = chunk;
    return this.isPlainlyWrong(chunk) && timeMs >= at_ms - since_boot_ms && timeMs <= at_ms + aheadMs;
  }

  private isPlainlyWrong({ at_ms }: Stamp): boolean {
    return at_ms < this.time.plausibleSinceMs;
  }

  /** In step with the true time once it is known: the boot clock's own drift is not in it then. */
  private sinceBootMs({ sinceBootMs, trueMs }: Moment): number {
    const offset = this.offsetMs;
    return trueMs === undefined || offset === undefined ? sinceBootMs : trueMs - offset;
  }

  /** Earlier boots that never learned the time end just before the next one began: order and spacing are kept. */
  private settleEarlier(): void {
    let next = this.offsetMs ?? 0;
    for (const row of this.rows.toReversed()) {
      if (row.id >= this.current) continue;
      const known = this.offsets.get(row.id)?.ms;
      if (known === undefined) {
        const latest = next - gapMs - (row.last_since_ms ?? 0);
        const own = this.ownOffset(row, next);
        this.settle(row.id, Math.min(own ?? latest, latest), own === undefined);
      }
      next = this.offsets.get(row.id)?.ms ?? next;
    }
  }

  /** Of a wall clock that a battery kept right: it is believed where nothing speaks against it. */
  private ownOffset(
    { hardware_clock, last_at_ms, last_since_ms }: BootRow,
    nextMs: number,
  ): number | undefined {
    if (hardware_clock !== 1 || last_at_ms === null || last_since_ms === null) return undefined;
    const isPlausible = last_at_ms >= this.time.plausibleSinceMs && last_at_ms <= nextMs + aheadMs;
    return isPlausible ? last_at_ms - last_since_ms : undefined;
  }

  private settle(id: number, ms: number, isEstimated: boolean): void {
    this.save.run(ms, isEstimated ? 1 : 0, id);
    this.offsets.set(id, { ms, isEstimated });
  }
}

/** Notes that this boot began, and where the one before ended. @returns the boots that matter, oldest first */
function enter(db: SqliteDatabase, { bootId, hasHardwareClock }: TrueTime): readonly BootRow[] {
  const added = db
    .prepare("INSERT INTO boots (boot_id, hardware_clock) VALUES (?, ?) ON CONFLICT DO NOTHING")
    .run(bootId, hasHardwareClock ? 1 : 0);
  if (added.changes === 1) {
    db.prepare(
      `UPDATE boots SET last_at_ms = newest.at_ms, last_since_ms = newest.since_boot_ms
       FROM (SELECT boot, at_ms, since_boot_ms FROM chunks ORDER BY first_seq DESC LIMIT 1) AS newest
       WHERE boots.id = newest.boot AND boots.offset_ms IS NULL`,
    ).run();
  }
  // Chunks are in the order of boots: those before the oldest chunk's are of no more use.
  db.prepare(
    `DELETE FROM boots WHERE id < coalesce(
       (SELECT boot FROM chunks ORDER BY first_seq LIMIT 1),
       (SELECT id FROM boots WHERE boot_id = ?))`,
  ).run(bootId);
  return db.prepare<[], BootRow>("SELECT * FROM boots ORDER BY id").all();
}
