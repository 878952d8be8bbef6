import { readdirSync, readFileSync } from "node:fs";
import { uptime } from "node:os";

export interface BootClockSources {
  /** CLOCK_BOOTTIME: dear to ask for, and in hundredths of a second. */
  readonly uptimeMs: () => number;
  /** CLOCK_MONOTONIC: cheap and exact, but it stands still while the machine sleeps. */
  readonly monotonicMs: () => number;
  readonly wallMs: () => number;
}

const systemSources: BootClockSources = {
  uptimeMs: () => uptime() * 1000,
  monotonicMs: () => Number(process.hrtime.bigint() / 1000n) / 1000,
  wallMs: () => Date.now(),
};

/** The wall clock moves so against the monotonic one when it is set, or the machine slept. */
const suspicionMs = 200;
const longestUnaskedMs = 10_000;
/** Uptime is told in hundredths of a second. */
const shortestSuspendMs = 50;

/**
 * Time since this boot of the machine, suspend included, the same for all its processes. The monotonic clock, and what
 * it lacks: asked for now and then, and at once where the wall clock tells that the machine may have slept.
 */
export class BootClock {
  private readonly sources: BootClockSources;
  private suspendedMs = 0;
  private checkedMs = Number.NEGATIVE_INFINITY;
  private checkedWallMs = 0;

  constructor(sources: BootClockSources = systemSources) {
    this.sources = sources;
  }

  sinceBootMs(): number {
    const { uptimeMs, monotonicMs, wallMs } = this.sources;
    const nowMs = monotonicMs();
    const elapsedMs = nowMs - this.checkedMs;
    const nowWallMs = wallMs();
    if (elapsedMs > longestUnaskedMs || Math.abs(nowWallMs - this.checkedWallMs - elapsedMs) > suspicionMs) {
      const missingMs = uptimeMs() - nowMs;
      if (missingMs > this.suspendedMs + shortestSuspendMs) this.suspendedMs = missingMs;
      this.checkedMs = nowMs;
      this.checkedWallMs = nowWallMs;
    }
    return nowMs + this.suspendedMs;
  }
}

/** Whether the kernel took the time from a hardware clock when it booted. */
export function hasHardwareClock(): boolean {
  const directory = "/sys/class/rtc";
  try {
    return readdirSync(directory).some((name) => {
      try {
        return readFileSync(`${directory}/${name}/hctosys`, "latin1").trim() === "1";
      } catch {
        return false; // Not every clock tells.
      }
    });
  } catch {
    return false; // A machine without any.
  }
}
