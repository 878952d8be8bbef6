import type { SqliteDatabase } from "../../platform/sqlite.ts";

/** Free pages that are kept for what comes next: 4 MiB, or a quarter of the file. */
const keptPages = 1024;
const keptShare = 0.25;
/** So that nobody waits long: a megabyte is some ten milliseconds even on slow flash. */
const pagesPerSlice = 256;

/**
 * Gives a slice of unused pages at the end of the file back to the file system.
 * @param isShort the disk is full: none are kept, nor the log's space
 * @returns whether there is more to give back
 */
export function giveBackSpace(db: SqliteDatabase, isShort: boolean): boolean {
  if (isShort) return giveBackAll(db);
  const free = db.pragma("freelist_count", { simple: true }) as number;
  const pages = db.pragma("page_count", { simple: true }) as number;
  if (free <= Math.max(keptPages, pages * keptShare)) return false;
  db.pragma(`incremental_vacuum(${pagesPerSlice})`);
  return true;
}

function giveBackAll(db: SqliteDatabase): boolean {
  db.pragma(`incremental_vacuum(${pagesPerSlice})`);
  // The file becomes shorter when the log is brought into it.
  db.pragma("wal_checkpoint(TRUNCATE)");
  return (db.pragma("freelist_count", { simple: true }) as number) > 0;
}
