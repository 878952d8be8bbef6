import { closeSync, existsSync, fchmodSync, openSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { GweError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { Migration } from "../core/sql.ts";
import { ensureDirectory, fsyncDirectory } from "./files.ts";

export type SqliteDatabase = Database.Database;

/** The database does not keep the promise that acknowledged commits survive a power cut. */
class DurabilityError extends GweError {
  readonly code = "DURABILITY";
}

export interface OpenDatabaseOptions {
  readonly file: string;
  /** All features' migrations; each runs once, in the given order. */
  readonly migrations: readonly Migration[];
  readonly logger: Logger;
  /** For names of corrupt files set aside. */
  readonly now: () => number;
}

export interface OpenedDatabase {
  readonly db: SqliteDatabase;
  /** Where a corrupt predecessor was put, when there was one: the caller reports it. */
  readonly corruptFileSetAside: string | undefined;
}

/**
 * Opens (or creates) a database under the durability rules: WAL, then synchronous=FULL, asserted after the first
 * write; a corrupt file is renamed aside and a fresh one started, never deleted.
 *
 * @throws DurabilityError when the settings do not hold
 */
export function openDatabase(options: OpenDatabaseOptions): OpenedDatabase {
  ensureDirectory(dirname(options.file));
  try {
    return { db: openAndMigrate(options), corruptFileSetAside: undefined };
  } catch (error) {
    if (!isCorruption(error)) throw error;
    const aside = setAside(options.file, options.now());
    options.logger.error("database is corrupt: set aside, starting a fresh one", {
      file: options.file,
      aside,
      error,
    });
    return { db: openAndMigrate(options), corruptFileSetAside: aside };
  }
}

function isCorruption(error: unknown): boolean {
  return (
    error instanceof Database.SqliteError &&
    (error.code.startsWith("SQLITE_CORRUPT") || error.code === "SQLITE_NOTADB")
  );
}

function setAside(file: string, now: number): string {
  const aside = `${file}.corrupt-${now}`;
  // The log goes with its database: replayed into a fresh file it would corrupt that one too.
  for (const suffix of ["", "-wal", "-shm"]) {
    if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  }
  fsyncDirectory(dirname(file));
  return aside;
}

/** What installers print is kept in it: nobody else's business. SQLite gives a database's log the same mode. */
function closeToOthers(file: string): void {
  const fd = openSync(file, "a", 0o640);
  fchmodSync(fd, 0o640);
  closeSync(fd);
}

function openAndMigrate({ file, migrations }: OpenDatabaseOptions): SqliteDatabase {
  closeToOthers(file);
  const db = new Database(file);
  try {
    db.pragma("journal_mode = WAL");
    // Explicitly, and after WAL: better-sqlite3's default drops to NORMAL at the first write.
    db.pragma("synchronous = FULL");
    db.pragma("foreign_keys = ON");
    db.pragma("busy_timeout = 5000");
    db.pragma("journal_size_limit = 1048576");
    if (db.pragma("quick_check(1)", { simple: true }) !== "ok") {
      throw new Database.SqliteError("quick_check failed", "SQLITE_CORRUPT");
    }
    migrate(db, migrations);
    assertDurable(db, file);
    // A new file's name must survive too.
    fsyncDirectory(dirname(file));
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function migrate(db: SqliteDatabase, migrations: readonly Migration[]): void {
  db.exec("CREATE TABLE IF NOT EXISTS migrations (id TEXT PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT");
  const applied = new Set(db.prepare<[], string>("SELECT id FROM migrations").pluck().all());
  const pending = migrations.filter(({ id }) => !applied.has(id));
  db.transaction(() => {
    for (const { id, sql } of pending) {
      db.exec(sql);
      db.prepare("INSERT INTO migrations (id, applied_at) VALUES (?, unixepoch())").run(id);
    }
  })();
}

function assertDurable(db: SqliteDatabase, file: string): void {
  const journalMode = db.pragma("journal_mode", { simple: true });
  const synchronous = db.pragma("synchronous", { simple: true });
  if (journalMode !== "wal" || synchronous !== 2) {
    throw new DurabilityError("SQLite did not take WAL with synchronous=FULL", {
      context: { file, journalMode, synchronous },
    });
  }
}
