import Database from "better-sqlite3";
import { GweError } from "../core/errors.ts";

/** The database does not keep the promise that acknowledged commits survive a power cut. */
export class DurabilityError extends GweError {
  readonly code = "DURABILITY";
}

/** A database can be neither used nor replaced: no permission, no space, a directory in its place. */
export class DatabaseOpenError extends GweError {
  readonly code = "DATABASE_OPEN";
}

export function sqliteCode(error: unknown): string {
  return error instanceof Database.SqliteError ? error.code : "";
}

/** What the file holds is not what SQLite wrote. */
export function isCorruption(error: unknown): boolean {
  const code = sqliteCode(error);
  return code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_NOTADB";
}

/** The disk takes no more: full, broken, or mounted read-only. What was committed before can still be read. */
export function isDiskTrouble(error: unknown): boolean {
  return /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN|PERM)/.test(sqliteCode(error));
}

/** There is no room on the disk: what takes space somewhere else may be removed. */
export function isDiskFull(error: unknown): boolean {
  return sqliteCode(error) === "SQLITE_FULL" || (error as { code?: unknown } | undefined)?.code === "ENOSPC";
}
