import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/** Makes a directory's entries durable (durability rule 3). */
export function fsyncDirectory(directory: string): void {
  const fd = openSync(directory, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Creates a directory and its missing parents durably: every new one is fsynced, up to and including the first
 * that existed. Existing directories keep their mode.
 */
export function ensureDirectory(directory: string, mode = 0o755): void {
  const firstCreated = mkdirSync(directory, { recursive: true, mode });
  if (firstCreated === undefined) return;
  const firstExisting = dirname(firstCreated);
  for (let current = resolve(directory); ; current = dirname(current)) {
    // Whatever the process' mask took away.
    if (current !== firstExisting) chmodSync(current, mode);
    fsyncDirectory(current);
    if (current === firstExisting || current === dirname(current)) return;
  }
}

export interface AtomicWriteOptions {
  /** Mode of a new file; an existing file keeps its own mode and owner. */
  readonly mode?: number;
  /** `mode` holds for an existing file too: a file of secrets must not stay readable by others. */
  readonly enforceMode?: boolean;
  /** Group of the file, new or not. Left alone where the process may not give it away. */
  readonly gid?: number | undefined;
}

/**
 * Where a symbolic link leads, so that the link stays what it is and its target is replaced; the path itself otherwise.
 */
function targetOf(file: string): string {
  return lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() === true && existsSync(file)
    ? realpathSync(file)
    : file;
}

/** Longer than any write takes, and no more than a clock is set right by while one is under way. */
const abandonedAfterMs = 10 * 60_000;

/** Temporary files of earlier writes that a power cut ended: they may hold secrets. Those of writes under way stay. */
function removeAbandoned(file: string): void {
  const prefix = `.${basename(file)}.`;
  for (const name of readdirSync(dirname(file))) {
    if (!name.startsWith(prefix) || !/^[0-9a-f]{12}\.tmp$/.test(name.slice(prefix.length))) continue;
    const temporary = join(dirname(file), name);
    const { mtimeMs } = lstatSync(temporary, { throwIfNoEntry: false }) ?? { mtimeMs: Date.now() };
    // Either way: before the cut the clock may have been ahead.
    if (Math.abs(Date.now() - mtimeMs) < abandonedAfterMs) continue;
    try {
      rmSync(temporary, { force: true });
    } catch {
      // In a directory of many owners it may be another's. The file itself has been replaced: that counts.
    }
  }
}

/**
 * Replaces a file so that after a power cut either the old or the new content is there, whole:
 * temporary name, fsync, rename, fsync of the directory. What an earlier cut left of a write is removed.
 */
export function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  options: AtomicWriteOptions = {},
): void {
  const file = targetOf(path);
  const temporary = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString("hex")}.tmp`);
  const existing = statSync(file, { throwIfNoEntry: false });
  const mode = existing && options.enforceMode !== true ? existing.mode & 0o7777 : (options.mode ?? 0o644);
  const data = typeof content === "string" ? Buffer.from(content) : content;
  const fd = openSync(temporary, "wx", 0o600);
  try {
    for (let written = 0; written < data.length; ) written += writeSync(fd, data, written);
    if (existing) fchownSync(fd, existing.uid, existing.gid);
    if (options.gid !== undefined) giveToGroup(fd, options.gid);
    fchmodSync(fd, mode);
    fsyncSync(fd);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
  try {
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  fsyncDirectory(dirname(file));
  removeAbandoned(file);
}

function giveToGroup(fd: number, gid: number): void {
  try {
    fchownSync(fd, -1, gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") throw error;
  }
}
