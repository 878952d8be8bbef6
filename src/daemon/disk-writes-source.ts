import type { Clock } from "../core/clock.ts";
import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { EngineFacts } from "../engine/index.ts";
import {
  accumulateWrites,
  type DiskWrites,
  parseDiskWrites,
  parseWrittenBytes,
  readKernelFile,
  writtenInDay,
} from "../telemetry/index.ts";

export interface DiskWritesSourceOptions {
  readonly facts: Pick<EngineFacts, "diskWrites" | "setDiskWrites">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What the engine writes to disk: flash wears out by it. */
export class DiskWritesSource {
  private readonly options: DiskWritesSourceOptions;
  private state: DiskWrites;

  constructor(options: DiskWritesSourceOptions) {
    this.options = options;
    this.state = parseDiskWrites(options.facts.diskWrites());
  }

  /** Bytes since the process started; undefined where the kernel does not tell. */
  written(): number | undefined {
    return parseWrittenBytes(readKernelFile("/proc/self/io"));
  }

  /** Bytes in the last 24 hours, up to this moment; undefined where the kernel does not tell. */
  writtenInDay(): number | undefined {
    const bytes = this.written();
    if (bytes === undefined) return undefined;
    this.state = accumulateWrites(this.state, {
      process: performance.timeOrigin,
      bytes,
      nowMs: this.options.clock.now(),
    });
    return writtenInDay(this.state);
  }

  /** Durable with the caller's transaction. */
  save(): void {
    this.options.facts.setDiskWrites(this.state);
  }

  stop(): void {
    const { logger } = this.options;
    this.writtenInDay();
    try {
      this.save();
    } catch (error) {
      logger.error("what was written to disk could not be kept", { error: describeError(error) });
    }
  }
}
