import type { Clock } from "../core/clock.ts";
import {
  assumed,
  type ClockTrust,
  heardServer,
  heardSystem,
  kept,
  offsetAt,
  type ServerTime,
  type TimeSource,
  untrusted,
} from "../core/clock-trust.ts";
import type { Logger } from "../core/logger.ts";
import type { ServerClock } from "../device-client/index.ts";
import type { KnownTime } from "../engine/index.ts";
import type { TrueTime } from "../queue/index.ts";

export interface ClockKeeperOptions {
  /** The system's. */
  readonly wall: Clock;
  readonly boot: { sinceBootMs(): number };
  readonly bootId: string;
  readonly hasHardwareClock: boolean;
  /** When this engine was built, unix milliseconds: no true time is before it. */
  readonly builtAtMs: number;
  readonly logger: Logger;
}

/** For `gwe status` and `device_info`. */
export interface ClockStatus {
  /** Who says what time it is; undefined while nobody does. */
  readonly trustedBy: TimeSource | undefined;
  /** How far the system's clock is from the true time, milliseconds, positive where it is ahead. Undefined while not known. */
  readonly wallErrorMs: number | undefined;
}

/** A wall clock that moves by more against the boot clock was set. */
const stepMs = 1_000;
/** By so much a clock may be wrong before OpenSSL is not asked for the date any more. */
const certificateToleranceMs = 60 * 60_000;
/** A machine that built the engine may have been somewhat ahead. */
const buildToleranceMs = 24 * 60 * 60_000;

/**
 * The engine's own time (docs/clock.md): it starts with the wall clock and runs on with the boot clock, whatever
 * becomes of the wall clock; when the true time becomes known it is set, once, and from then on moves only slowly.
 */
export class ClockKeeper {
  /** The system's clock with the engine's time in place of the wall clock's. */
  readonly clock: Clock;
  /** The queue's view. */
  readonly time: TrueTime;
  /** Learns from Murano's answers. */
  readonly serverClock: ServerClock;
  private readonly options: ClockKeeperOptions;
  private readonly listeners = new Set<() => void>();
  /** Of the wall clock when this began. */
  private readonly firstOffsetMs: number;
  private wallOffsetMs: number;
  private trust: ClockTrust = untrusted;
  private lastKnownMs: number;
  private hasStepped = false;

  constructor(options: ClockKeeperOptions) {
    const { wall, boot, bootId, hasHardwareClock, builtAtMs } = options;
    this.options = options;
    this.firstOffsetMs = Math.round(wall.now() - boot.sinceBootMs());
    this.wallOffsetMs = this.firstOffsetMs;
    this.lastKnownMs = builtAtMs;
    this.clock = {
      now: () => this.nowMs(),
      monotonic: () => wall.monotonic(),
      sleep: (ms, signal) => wall.sleep(ms, signal),
    };
    this.time = {
      bootId,
      now: () => {
        const exactMs = boot.sinceBootMs();
        const sinceBootMs = Math.round(exactMs);
        const offsetMs = offsetAt(this.trust, exactMs);
        return {
          sinceBootMs,
          stampMs: this.firstOffsetMs + sinceBootMs,
          trueMs: offsetMs === undefined ? undefined : offsetMs + sinceBootMs,
        };
      },
      hasHardwareClock,
      plausibleSinceMs: builtAtMs - buildToleranceMs,
    };
    this.serverClock = {
      nowMs: () => boot.sinceBootMs(),
      heard: (time) => this.heardServer(time),
    };
  }

  get isTrusted(): boolean {
    return this.trust.known !== undefined;
  }

  /** The system's clock cannot be right. */
  get isPlainlyWrong(): boolean {
    return this.options.wall.now() < this.time.plausibleSinceMs;
  }

  /** The engine's time is known, or comes from a hardware clock that nothing contradicts. */
  get isBelievable(): boolean {
    return this.isTrusted || (this.options.hasHardwareClock && !this.isPlainlyWrong);
  }

  /** Somebody set the system's clock since the engine began. */
  get wasSet(): boolean {
    this.lookAtWall();
    return this.hasStepped;
  }

  /** Called once the time is known; at once where it is. @returns what ends it */
  onTrusted(listener: () => void): () => void {
    if (this.isTrusted) listener();
    else this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  heardServer(time: ServerTime): void {
    this.learn(heardServer(this.trust, time, this.lookAtWall()));
  }

  /** The operating system says that its clock is synchronised. */
  heardSystem(): void {
    const offsetMs = this.lookAtWall();
    this.learn(heardSystem(this.trust, this.options.boot.sinceBootMs(), offsetMs));
  }

  /** What an earlier run of this boot knew. */
  adopt(offsetMs: number): void {
    this.learn(kept(this.trust, this.options.boot.sinceBootMs(), offsetMs));
  }

  /** Nobody tells the time, and nobody will: a wall clock that is not plainly wrong is better than nothing. */
  assume(): void {
    if (this.isPlainlyWrong) return;
    this.learn(assumed(this.trust, this.options.boot.sinceBootMs(), this.lookAtWall()));
  }

  /** What an earlier run left, of this boot or another. */
  restore(known: KnownTime | undefined): void {
    if (known === undefined) return;
    this.lastKnownMs = Math.max(this.lastKnownMs, known.nowMs);
    if (known.bootId === this.time.bootId) this.adopt(known.offsetMs);
  }

  /** For the next run; undefined while nothing is known. */
  known(): KnownTime | undefined {
    const offsetMs = this.offsetMs();
    if (offsetMs === undefined) return undefined;
    return { bootId: this.time.bootId, offsetMs, nowMs: this.nowMs() };
  }

  /** For the device clients: when certificates must be valid, where the system's clock cannot say so. */
  readonly certificateTimeMs = (): number | undefined => {
    const wallMs = this.options.wall.now();
    const timeMs = this.isTrusted ? this.nowMs() : Math.max(wallMs, this.lastKnownMs);
    return Math.abs(timeMs - wallMs) <= certificateToleranceMs ? undefined : timeMs;
  };

  status(): ClockStatus {
    const wallMs = this.lookAtWall();
    const offsetMs = this.offsetMs();
    return {
      trustedBy: this.trust.known?.source,
      wallErrorMs: offsetMs === undefined ? undefined : Math.round(wallMs - offsetMs),
    };
  }

  private nowMs(): number {
    const { stampMs, trueMs } = this.time.now();
    return trueMs ?? stampMs;
  }

  private offsetMs(): number | undefined {
    return offsetAt(this.trust, this.options.boot.sinceBootMs());
  }

  /** @returns the wall clock's offset as it is now */
  private lookAtWall(): number {
    const { wall, boot, logger } = this.options;
    const offsetMs = wall.now() - boot.sinceBootMs();
    const movedMs = offsetMs - this.wallOffsetMs;
    if (Math.abs(movedMs) > stepMs) {
      this.hasStepped = true;
      logger.info("the system's clock was set", { byS: Math.round(movedMs / 1000) });
    }
    this.wallOffsetMs = offsetMs;
    return offsetMs;
  }

  private learn(next: ClockTrust): void {
    const before = this.trust;
    this.trust = next;
    if (before.known?.source === next.known?.source || next.known === undefined) return;
    const { trustedBy, wallErrorMs } = this.status();
    this.options.logger.info("the time is known", {
      by: trustedBy,
      clockIsAheadS: Math.round((wallErrorMs ?? 0) / 100) / 10,
    });
    if (before.known !== undefined) return;
    for (const listener of this.listeners) listener();
    this.listeners.clear();
  }
}
