import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from "node:fs";
import type { LogUsage } from "./budget.ts";
import { backupName, nextPart } from "./rotation.ts";

export interface LogFileOptions {
  readonly file: string;
  /** At which size it is rotated; 0: never. Asked each time. */
  readonly maxBytes: () => number;
  readonly backups: number;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** After each rotation. */
  readonly onRotated: () => void;
  /** Before a rotated file is gone for good. */
  readonly beforeDrop?: (file: string) => void;
}

/** What could not be written. */
interface Loss {
  bytes: number;
  readonly sinceMs: number;
  /** The errno's name. */
  readonly code: string;
  /** What comes next begins in the middle of a line whose beginning is lost. */
  isInLine: boolean;
  triedMs: number;
}

const lineFeed = 0x0a;
const retryMs = 1_000;
// A FIFO or device that somebody put in the file's place must not make the process wait.
const openFlags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

/**
 * A log as supervisord keeps it: `app.log`, rotated to `app.log.1` and so on. What `write` was given is with the
 * kernel when it returns. It never throws: what can't be written is counted, and the log says so in a line of its own
 * as soon as it takes some again.
 */
export class LogFile {
  private readonly options: LogFileOptions;
  private fd: number | undefined;
  private identity: Stats | undefined;
  private size = 0;
  /** Sizes, the newest first. */
  private backupSizes: number[];
  private endsWithLine = true;
  private loss: Loss | undefined;

  constructor(options: LogFileOptions) {
    this.options = options;
    this.backupSizes = this.lookForBackups();
  }

  get usage(): LogUsage {
    return { current: this.size, backups: this.backupSizes };
  }

  write(chunk: Uint8Array): void {
    let rest = chunk;
    try {
      if (this.loss !== undefined && !this.mayResume(this.loss, chunk)) return;
      this.follow();
      if (this.loss !== undefined) rest = this.resume(this.loss, chunk);
      while (rest.length > 0) {
        const { length, isFull } = nextPart(rest, this.size, this.options.maxBytes());
        this.append(rest.subarray(0, length));
        rest = rest.subarray(length);
        if (isFull) this.rotate();
      }
    } catch (error) {
      this.lose(rest, error);
    }
  }

  /** Tells of a loss, where it can be told by now, also while nothing is written. */
  tellLoss(): void {
    if (this.loss !== undefined) this.write(new Uint8Array());
  }

  /** Looks at what there is: somebody may have removed a backup. */
  refresh(): void {
    this.backupSizes = this.lookForBackups();
  }

  dropOldestBackup(): void {
    const number = this.backupSizes.length;
    if (number === 0) return;
    const file = backupName(this.options.file, number);
    this.options.beforeDrop?.(file);
    rmSync(file, { force: true });
    this.backupSizes.pop();
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
  }

  /** The file of the name is written to: one that was renamed or removed is let go of, one that was cut is gone on with. */
  private follow(): void {
    const found = statSync(this.options.file, { throwIfNoEntry: false });
    const isSame = found?.ino === this.identity?.ino && found?.dev === this.identity?.dev;
    if (this.fd === undefined || found === undefined || !isSame) {
      this.close();
      this.open();
    } else {
      if (found.size < this.size) this.endsWithLine = true;
      this.size = found.size;
    }
  }

  private open(): void {
    this.fd = openSync(this.options.file, openFlags, 0o644);
    const found = fstatSync(this.fd);
    // One that was only let go of for a while may end in the middle of a line; of another that is not known.
    if (found.ino !== this.identity?.ino || found.dev !== this.identity.dev) this.endsWithLine = true;
    this.identity = found;
    this.size = found.size;
  }

  private append(bytes: Uint8Array): void {
    const fd = this.fd ?? -1;
    try {
      for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
    } catch (error) {
      // A full disk takes part of it: better none of it than half a line.
      if (this.identity?.isFile() === true) ftruncateSync(fd, this.size);
      throw error;
    }
    this.size += bytes.length;
    if (bytes.length > 0) this.endsWithLine = bytes.at(-1) === lineFeed;
  }

  private rotate(): void {
    const { file, backups, beforeDrop, onRotated } = this.options;
    if (this.identity?.isFile() !== true) return;
    const oldest = backupName(file, Math.max(1, backups));
    try {
      if (backups === 0) {
        beforeDrop?.(file);
        // Not emptied: whoever is reading it may read it to its end.
        rmSync(file, { force: true });
      } else {
        if (this.backupSizes.length >= backups) beforeDrop?.(oldest);
        for (let number = Math.min(backups - 1, this.backupSizes.length); number >= 0; number--) {
          renameIfThere(backupName(file, number), backupName(file, number + 1));
        }
        const shifted = [this.size, ...this.backupSizes.slice(0, backups - 1)];
        // Those beyond are from a time when more were kept.
        this.backupSizes = [...shifted, ...this.backupSizes.slice(backups)];
      }
    } catch (error) {
      this.rotateInPlace(error);
      return;
    }
    const { mode, uid, gid } = this.identity;
    this.close();
    this.open();
    this.giveLike(mode, uid, gid);
    onRotated();
  }

  /** A directory that can't be written, or a file that is a mount point: bounded all the same. */
  private rotateInPlace(error: unknown): void {
    const dropped = this.size;
    ftruncateSync(this.fd ?? -1, 0);
    this.size = 0;
    this.append(
      Buffer.from(`gwe-logd: ${dropped} bytes dropped, the file can't be rotated: ${codeOf(error)}\n`),
    );
  }

  /** Mode and owner outlive a rotation, as whoever set them expects. */
  private giveLike(mode: number, uid: number, gid: number): void {
    const fd = this.fd ?? -1;
    const fresh = fstatSync(fd);
    if (fresh.uid !== uid || fresh.gid !== gid) ignoringRefusal(() => fchownSync(fd, uid, gid));
    if (fresh.mode !== mode) ignoringRefusal(() => fchmodSync(fd, mode & 0o7777));
  }

  private lose(bytes: Uint8Array, error: unknown): void {
    const nowMs = this.options.now();
    this.loss ??= {
      bytes: 0,
      sinceMs: nowMs,
      triedMs: nowMs,
      code: codeOf(error),
      isInLine: !this.endsWithLine,
    };
    this.count(this.loss, bytes);
    // Opened anew at the next try: there may be another disk by then.
    this.close();
  }

  private count(loss: Loss, bytes: Uint8Array): void {
    loss.bytes += bytes.length;
    if (bytes.length > 0) loss.isInLine = bytes.at(-1) !== lineFeed;
  }

  /** Not more often than once a second, and only with a line to begin with; what comes until then is lost too. */
  private mayResume(loss: Loss, chunk: Uint8Array): boolean {
    const nowMs = this.options.now();
    const isTime = nowMs < loss.triedMs || nowMs - loss.triedMs >= retryMs;
    if (isTime && (!loss.isInLine || chunk.includes(lineFeed))) {
      loss.triedMs = nowMs;
      return true;
    }
    this.count(loss, chunk);
    return false;
  }

  /**
   * Tells of the loss; returns what of the chunk is to be written after it, which begins with a line.
   * @throws when the file still takes nothing
   */
  private resume(loss: Loss, chunk: Uint8Array): Uint8Array {
    const skipped = loss.isInLine ? chunk.indexOf(lineFeed) + 1 : 0;
    const since = new Date(loss.sinceMs).toISOString();
    const begin = this.endsWithLine ? "" : "\n";
    const told = `${loss.bytes + skipped} bytes since ${since} could not be written: ${loss.code}`;
    this.append(Buffer.from(`${begin}gwe-logd: ${told}\n`));
    this.loss = undefined;
    return chunk.subarray(skipped);
  }

  private lookForBackups(): number[] {
    const sizes: number[] = [];
    for (let number = 1; ; number++) {
      const stats = statSync(backupName(this.options.file, number), { throwIfNoEntry: false });
      if (stats === undefined) return sizes;
      sizes.push(stats.size);
    }
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
}

function ignoringRefusal(change: () => void): void {
  try {
    change();
  } catch (error) {
    // Without root, or on a file system without owners: it stays as it was made.
    if (codeOf(error) !== "EPERM") throw error;
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
