import { renameSync, rmSync, statSync, truncateSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Clock } from "../core/clock.ts";
import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { spaceAt } from "./disk-space.ts";

export interface SpaceReserveOptions {
  /** Its directory exists by the time of the first use. */
  readonly file: string;
  /** Less on a small disk: a quarter of it at most. */
  readonly bytes: number;
  readonly clock: Pick<Clock, "monotonic">;
  readonly logger: Logger;
}

const largestShare = 1 / 4;
/** What must be free, in sizes of the reserve, for it to be taken: for the first time, and after it was let go of. */
const roomAtFirst = 1.5;
const roomAnew = 2;
/** How often at most the file system is asked how much room it has. */
const lookEveryMs = 1_000;
const blockBytes = 64 * 1024;

/**
 * Space on a disk that is held by a file of zeros, and let go of when all else is taken: what has to write in order to
 * make room then can. It is taken anew once the disk has twice as much, so that it does not come and go with every file.
 * That it was let go of is known after a restart too: the file is there then, and empty.
 */
export class SpaceReserve {
  private readonly options: SpaceReserveOptions;
  private isHeld = false;
  private isLetGo = false;
  private hasRoom = false;
  private lookedAtMs = Number.NEGATIVE_INFINITY;
  private restoring: Promise<void> | undefined;

  constructor(options: SpaceReserveOptions) {
    this.options = options;
  }

  /** Whether it has not been let go of, or the disk has room for it again. Cheap. */
  isEnough(): boolean {
    if (!this.isLetGo) return true;
    const nowMs = this.options.clock.monotonic();
    if (nowMs - this.lookedAtMs >= lookEveryMs) {
      this.lookedAtMs = nowMs;
      this.hasRoom = this.hasRoomFor(roomAnew);
    }
    return this.hasRoom;
  }

  /** Lets go of it. @returns whether that has made room */
  release(): boolean {
    const { file, clock, logger } = this.options;
    const hadIt = sizeOf(file) > 0;
    this.isHeld = false;
    try {
      rmSync(fileInTheMaking(file), { force: true });
      if (!hadIt) return false;
      truncateSync(file);
    } catch (error) {
      logger.warn("the space that was set aside cannot be let go of", { file, error: describeError(error) });
      return false;
    }
    this.isLetGo = true;
    this.hasRoom = false;
    this.lookedAtMs = clock.monotonic();
    logger.warn("the disk is full: the space that was set aside is used to empty the queue", { file });
    return true;
  }

  /** Takes it where it is not held and the disk has the room. Never rejects: without it there is less safety, no less service. */
  restore(): Promise<void> {
    this.restoring ??= this.take().finally(() => {
      this.restoring = undefined;
    });
    return this.restoring;
  }

  private async take(): Promise<void> {
    if (this.isHeld) return;
    const { file, logger } = this.options;
    const size = sizeOf(file);
    this.isHeld = size > 0;
    this.isLetGo = size === 0;
    if (this.isHeld || !this.hasRoomFor(this.isLetGo ? roomAnew : roomAtFirst)) return;
    const making = fileInTheMaking(file);
    try {
      // Flushed, for a file system may take at its word what has no place yet.
      await writeFile(making, zeros(this.wantedBytes()), { mode: 0o600, flush: true });
      renameSync(making, file);
      this.isHeld = true;
      this.isLetGo = false;
    } catch (error) {
      rmSync(making, { force: true });
      logger.debug("no space could be set aside", { file, error: describeError(error) });
    }
  }

  private hasRoomFor(reserves: number): boolean {
    try {
      const space = spaceAt(dirname(this.options.file));
      return space.freeBytes >= reserves * this.wantedBytes(space);
    } catch {
      // A disk that cannot even be asked will say by itself what is the matter.
      return true;
    }
  }

  private wantedBytes({ sizeBytes } = spaceAt(dirname(this.options.file))): number {
    return Math.min(this.options.bytes, Math.floor(sizeBytes * largestShare));
  }
}

/** It gets its name when it is whole. */
function fileInTheMaking(file: string): string {
  return `${file}.new`;
}

/** -1 where there is no such file. */
function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? -1;
}

/** Written, for a hole takes no space. */
function* zeros(bytes: number): Generator<Buffer> {
  const block = Buffer.alloc(blockBytes);
  for (let left = bytes; left > 0; left -= blockBytes) yield block.subarray(0, left);
}
