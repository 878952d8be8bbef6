import type { TrueTime } from "../../src/queue/index.ts";

/** Before it, the queue of these tests takes a clock for plainly wrong. */
const plausibleSinceMs = Date.UTC(2026, 0, 1);

/** A machine whose clock is wrong at every boot, and on which somebody may come to tell the time. */
export class ClocklessMachine {
  /** What an onlooker's clock says, unix milliseconds. */
  trueMs = Date.UTC(2026, 5, 1);
  hasHardwareClock = false;
  private boots = 1;
  private bootedAtMs = this.trueMs - 20_000;
  private wallAheadMs: number;
  private errorMs: number | undefined;

  constructor(wallMs: number) {
    this.wallAheadMs = wallMs - this.trueMs;
  }

  get boot(): number {
    return this.boots;
  }

  get wallMs(): number {
    return this.trueMs + this.wallAheadMs;
  }

  pass(ms: number): void {
    this.trueMs += ms;
  }

  setWall(ms: number): void {
    this.wallAheadMs = ms - this.trueMs;
  }

  /** Somebody tells the time, give or take. */
  tell(errorMs: number): void {
    this.errorMs ??= errorMs;
  }

  reboot(offMs: number, wallMs: number): void {
    this.pass(offMs);
    this.boots += 1;
    this.bootedAtMs = this.trueMs;
    this.errorMs = undefined;
    this.pass(3_000);
    this.setWall(wallMs);
  }

  /** As a process that begins now sees it. */
  process(): TrueTime {
    const { wallAheadMs } = this;
    return {
      bootId: `boot-${this.boots}`,
      now: () => ({
        sinceBootMs: this.trueMs - this.bootedAtMs,
        stampMs: this.trueMs + wallAheadMs,
        trueMs: this.errorMs === undefined ? undefined : this.trueMs + this.errorMs,
      }),
      hasHardwareClock: this.hasHardwareClock,
      plausibleSinceMs,
    };
  }
}
