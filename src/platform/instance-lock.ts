import { chmodSync, closeSync, openSync, truncateSync } from "node:fs";
import Database from "better-sqlite3";
import { GweError } from "../core/errors.ts";
import { isCorruption } from "./sqlite-errors.ts";

/** Another process holds the lock. */
class LockedError extends GweError {
  readonly code = "LOCKED";
}

export interface InstanceLock {
  release(): void;
}

export interface LockOptions {
  /** How long to wait for another holder to let go, the process standing still meanwhile; 0 by default. */
  readonly waitMs?: number;
  /** What to tell whoever finds it held. */
  readonly heldMessage?: string;
}

/**
 * Holds a lock for as long as the process lives. The kernel drops it when the process ends in whatever way, so a
 * crash leaves no stale lock. (SQLite's file lock is used because Node offers no flock.)
 *
 * @throws LockedError when another process holds it
 */
export function acquireInstanceLock(file: string, options: LockOptions = {}): InstanceLock {
  try {
    return lock(file, options);
  } catch (error) {
    if (!isCorruption(error)) throw error;
    // A lock has no content: what is in there is not ours, and the file itself must stay, for others may hold it.
    truncateSync(file, 0);
    return lock(file, options);
  }
}

function lock(file: string, options: LockOptions): InstanceLock {
  // Who can read it could hold it, and keep the engine from starting.
  closeSync(openSync(file, "a", 0o600));
  chmodSync(file, 0o600);
  const db = new Database(file, { timeout: options.waitMs ?? 0 });
  try {
    db.pragma("journal_mode = MEMORY");
    db.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    db.close();
    if (error instanceof Database.SqliteError && error.code.startsWith("SQLITE_BUSY")) {
      // Without the cause: that the "database" is locked would only puzzle.
      throw new LockedError(options.heldMessage ?? "another process holds the lock", { context: { file } });
    }
    throw error;
  }
  return { release: () => db.close() };
}
