import { chmodSync, closeSync, existsSync, fchmodSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { describeError, GweError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { Migration } from "../core/sql.ts";
import { ensureDirectory, fsyncDirectory } from "./files.ts";
import {
  DatabaseOpenError,
  DurabilityError,
  isCorruption,
  isDiskTrouble,
  sqliteCode,
} from "./sqlite-errors.ts";
import { finishReplacement, isSuspect, type Replacement, replaceDamaged } from "./sqlite-replacement.ts";
import { watchForCorruption } from "./sqlite-suspicion.ts";

export type SqliteDatabase = Database.Database;
export type { Replacement } from "./sqlite-replacement.ts";

export interface OpenDatabaseOptions {
  readonly file: string;
  /** All features' migrations; each runs once, in the given order. */
  readonly migrations: readonly Migration[];
  /** Statements that make salvaged rows whole again, such as a counter that must lie above every row. */
  readonly afterSalvage?: readonly string[];
  /** Unused pages can be given back in small slices (`pragma incremental_vacuum`); holds for a file from its creation. */
  readonly incrementalVacuum?: boolean;
  readonly logger: Logger;
  /** For names of corrupt files set aside. */
  readonly now: () => number;
  /**
   * Called once when a query meets damage. The file is marked by then: the next `openDatabase` replaces it, so the
   * program should end.
   */
  readonly onCorruption?: (error: unknown) => void;
}

export interface OpenedDatabase {
  readonly db: SqliteDatabase;
  /** Set when the file at hand was damaged: what became of it, for the caller to report. */
  readonly replaced: Replacement | undefined;
}

/** Beyond this, checking every page would take longer than a start may; damage is then met by the query that hits it. */
const checkedAtStartBytes = 8 * 1024 * 1024;

/**
 * Opens (or creates) a database under the durability rules: WAL, then synchronous=FULL, asserted after the first
 * write. A damaged file is set aside (never deleted), what can be read of it is copied into a fresh one.
 *
 * A disk that is full or read-only does not keep an existing database from being opened and read; writing then fails
 * with SQLite's own error. The file is for its owner alone: it may hold what installers print.
 *
 * @throws DurabilityError when the settings do not hold
 * @throws DatabaseOpenError when there is no way to a usable database
 */
export function openDatabase(options: OpenDatabaseOptions): OpenedDatabase {
  try {
    ensureDirectory(dirname(options.file));
    const finished = finishReplacement(options.file);
    if (isSuspect(options.file)) return replace(options, "a query met damage in it");
    try {
      return { db: openChecked(options), replaced: finished };
    } catch (error) {
      if (!isCorruption(error)) throw error;
      return replace(options, describeError(error));
    }
  } catch (error) {
    if (error instanceof GweError) throw error;
    const { code } = error as { code?: unknown };
    throw new DatabaseOpenError(`${options.file} cannot be used as a database (${code ?? "unknown"})`, {
      cause: error,
      context: { file: options.file },
    });
  }
}

/** For a look from outside: neither creates nor changes anything. @throws SqliteError when it cannot be read */
export function openReadOnly(file: string): SqliteDatabase {
  return new Database(file, { readonly: true, fileMustExist: true });
}

function replace(options: OpenDatabaseOptions, reason: string): OpenedDatabase {
  const { file, migrations, afterSalvage = [], incrementalVacuum, logger, now } = options;
  const replaced = replaceDamaged({
    file,
    reason,
    now: now(),
    createFresh: (fresh) => {
      const db = openFile(fresh, { isExclusive: false, incrementalVacuum });
      migrate(db, migrations);
      return db;
    },
    afterSalvage,
  });
  logger.error("database was damaged: set aside, a fresh one started with what could be read", {
    ...replaced,
  });
  return { db: openChecked(options), replaced };
}

function openChecked(options: OpenDatabaseOptions): SqliteDatabase {
  const { file, migrations, incrementalVacuum, logger } = options;
  restrict(file);
  check(file);
  const db = openTolerant(file, incrementalVacuum);
  try {
    const unknown = migrate(db, migrations);
    if (unknown.length > 0) {
      logger.warn("the database was written by a newer version, going on with it", { migrations: unknown });
    }
    assertDurable(db, file, logger);
    // A new file's name must survive too.
    fsyncDirectory(dirname(file));
    return watchForCorruption(db, file, options.onCorruption ?? (() => undefined), logger);
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Looks for damage without changing the file: a connection that may write would, when it is closed, bring the log into
 * the file, and the log may be what is wrong.
 *
 * @throws SqliteError for a file that is damaged, or holds nothing of ours
 */
function check(file: string): void {
  const { size } = statSync(file);
  if (size === 0) return;
  const db = new Database(file, { readonly: true });
  try {
    const names = db.prepare<[], string>("SELECT name FROM sqlite_schema").pluck().all();
    // A log of another database, once replayed, leaves a sound file without anything of ours.
    if (names.length > 0 && !names.includes("migrations")) {
      throw new Database.SqliteError("it holds another program's tables", "SQLITE_NOTADB");
    }
    if (size <= checkedAtStartBytes && db.pragma("quick_check(1)", { simple: true }) !== "ok") {
      throw new Database.SqliteError("quick_check failed", "SQLITE_CORRUPT");
    }
  } catch (error) {
    // Opening it for good will say what is the matter, or find a way.
    if (!isDiskTrouble(error)) throw error;
  } finally {
    db.close();
  }
}

/** Creates the file where there is none: SQLite gives its log the same mode. */
function restrict(file: string): void {
  if (!existsSync(file)) {
    const fd = openSync(file, "a", 0o600);
    fchmodSync(fd, 0o600);
    closeSync(fd);
    return;
  }
  for (const path of [file, `${file}-wal`, `${file}-shm`]) {
    const mode = statSync(path, { throwIfNoEntry: false })?.mode;
    if (mode !== undefined && (mode & 0o077) !== 0) chmodSync(path, 0o600);
  }
}

/** On a full disk there may be no room for the shared index of the log: then it is kept in memory. */
function openTolerant(file: string, incrementalVacuum: boolean | undefined): SqliteDatabase {
  try {
    return openFile(file, { isExclusive: false, incrementalVacuum });
  } catch (error) {
    if (!isDiskTrouble(error)) throw error;
    return openFile(file, { isExclusive: true, incrementalVacuum });
  }
}

interface OpenFileOptions {
  readonly isExclusive: boolean;
  readonly incrementalVacuum: boolean | undefined;
}

function openFile(file: string, { isExclusive, incrementalVacuum }: OpenFileOptions): SqliteDatabase {
  const db = new Database(file);
  try {
    // Before the first page is written, which WAL does.
    if (incrementalVacuum === true) db.pragma("auto_vacuum = INCREMENTAL");
    if (isExclusive) db.pragma("locking_mode = EXCLUSIVE");
    db.pragma("busy_timeout = 5000");
    db.pragma("journal_mode = WAL");
    // Explicitly, and after WAL: better-sqlite3's default drops to NORMAL at the first write.
    db.pragma("synchronous = FULL");
    db.pragma("foreign_keys = ON");
    db.pragma("journal_size_limit = 1048576");
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** @returns migrations that this version does not know: a newer one wrote them */
function migrate(db: SqliteDatabase, migrations: readonly Migration[]): readonly string[] {
  db.exec("CREATE TABLE IF NOT EXISTS migrations (id TEXT PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT");
  const applied = new Set(db.prepare<[], string>("SELECT id FROM migrations").pluck().all());
  const pending = migrations.filter(({ id }) => !applied.has(id));
  if (pending.length > 0) {
    db.transaction(() => {
      for (const { id, sql } of pending) {
        db.exec(sql);
        db.prepare("INSERT INTO migrations (id, applied_at) VALUES (?, unixepoch())").run(id);
      }
    })();
  }
  const known = new Set(migrations.map(({ id }) => id));
  return [...applied].filter((id) => !known.has(id));
}

/** Writes first: only after a write does it show whether the settings hold. */
function assertDurable(db: SqliteDatabase, file: string, logger: Logger): void {
  try {
    db.pragma("user_version = 1");
  } catch (error) {
    if (!isDiskTrouble(error)) throw error;
    logger.error("the database cannot be written: nothing new is kept until the disk takes it", {
      file,
      code: sqliteCode(error),
    });
  }
  const journalMode = db.pragma("journal_mode", { simple: true });
  const synchronous = db.pragma("synchronous", { simple: true });
  if (journalMode !== "wal" || synchronous !== 2) {
    throw new DurabilityError("SQLite did not take WAL with synchronous=FULL", {
      context: { file, journalMode, synchronous },
    });
  }
}
