import { existsSync, rmSync, statfsSync, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { Clock } from "../core/clock.ts";
import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";

export interface SpaceReserveOptions {
  /** Its directory exists by the time of the first use. */
  readonly file: string;
  /** Less on a small disk: a quarter of it at most. */
  readonly bytes: number;
  readonly clock: Pick<Clock, "monotonic">;
  readonly logger: Logger;
}

const largestShare = 1 / 4;
/** How often at most the file system is asked how much room it has. */
const lookEveryMs = 1_000;
const blockBytes = 64 * 1024;

/**
 * Space on a disk that is held by a file of zeros, and let go of when all else is taken: what has to write in order to
 * make room then can. It is taken anew once the disk has twice as much, so that it does not come and go with every file.
 */
export class SpaceReserve {
  private readonly options: SpaceReserveOptions;
  private isHeld = false;
  private hasRoom = true;
  private lookedAtMs = Number.NEGATIVE_INFINITY;
  private restoring: Promise<void> | undefined;
  private isLetGo = false;

  constructor(options: SpaceReserveOptions) {
    this.options = options;
  }

  /** Held, or there is so much room that it will be. Cheap. */
  isEnough(): boolean {
    if (this.isHeld) return true;
    const nowMs = this.options.clock.monotonic();
    if (nowMs - this.lookedAtMs >= lookEveryMs) {
      this.lookedAtMs = nowMs;
      this.hasRoom = this.look();
    }
    return this.hasRoom;
  }

  /** Lets go of it. @returns whether there was any */
  release(): boolean {
    const { file, logger } = this.options;
    this.hasRoom = false;
    this.isLetGo = true;
    this.lookedAtMs = this.options.clock.monotonic();
    const wasHeld = this.isHeld || existsSync(file);
    this.isHeld = false;
    if (!wasHeld) return false;
    try {
      rmSync(file, { force: true });
    } catch (error) {
      logger.warn("the space that was set aside cannot be let go of", { file, error: describeError(error) });
      return false;
    }
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
    try {
      const bytes = this.wantedBytes();
      if (existsSync(file) && statSync(file).size >= bytes) {
        this.isHeld = true;
        return;
      }
      if (!this.look()) return;
      this.isLetGo = false;
      await fill(file, bytes, () => this.isLetGo);
      this.isHeld = !this.isLetGo;
      if (this.isLetGo) rmSync(file, { force: true });
    } catch (error) {
      rmSync(file, { force: true });
      logger.debug("no space could be set aside", { file, error: describeError(error) });
    }
  }

  private look(): boolean {
    try {
      const { bavail, bsize } = statfsSync(dirname(this.options.file));
      return bavail * bsize >= 2 * this.wantedBytes();
    } catch {
      // A disk that cannot even be asked will say by itself what is the matter.
      return true;
    }
  }

  private wantedBytes(): number {
    const { blocks, bsize } = statfsSync(dirname(this.options.file));
    return Math.min(this.options.bytes, Math.floor(blocks * bsize * largestShare));
  }
}

/** With zeros that are written, for a hole takes no space; to the disk, for it may take what is not yet there at its word. */
async function fill(file: string, bytes: number, isLetGo: () => boolean): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, "w", 0o600);
    const zeros = Buffer.alloc(blockBytes);
    for (let at = 0; at < bytes && !isLetGo(); at += blockBytes) {
      await handle.write(zeros, 0, Math.min(blockBytes, bytes - at), at);
    }
    await handle.datasync();
  } finally {
    await handle?.close();
  }
}
