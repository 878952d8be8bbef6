import { chmodSync, closeSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { EmulatorStartError } from "../../errors.ts";
import { migrations } from "./schema.ts";

export type SqliteDatabase = Database.Database;

/**
 * Opens the emulator's database for this process alone. Commits do not wait for the disk: see `GroupCommit`.
 *
 * @throws EmulatorStartError when another emulator holds it, or the file is not one of ours
 */
export function openDatabase(directory: string): SqliteDatabase {
  const file = join(directory, "emulator.db");
  // It holds CIKs: never readable by others, not even between creation and chmod.
  if (!existsSync(file)) closeSync(openSync(file, "a", 0o600));
  chmodSync(file, 0o600);
  const db = new Database(file, { timeout: 1_000 });
  try {
    // Held from the first write on: a second emulator on the same directory fails at once, a killed one leaves no lock.
    db.pragma("locking_mode = EXCLUSIVE");
    db.pragma("journal_mode = WAL");
    // Around checkpoints only: commits are synced by `GroupCommit`, outside of the event loop's thread.
    db.pragma("synchronous = NORMAL");
    db.pragma("foreign_keys = ON");
    // Pages that change at every commit are copied back once per 16 MB of log instead of once per 4.
    db.pragma("wal_autocheckpoint = 4000");
    db.pragma("journal_size_limit = 16777216");
    migrate(db);
    return db;
  } catch (error) {
    db.close();
    const busy = error instanceof Database.SqliteError && error.code.startsWith("SQLITE_BUSY");
    throw new EmulatorStartError(
      busy ? "the data directory is in use by another emulator" : "the database cannot be opened",
      { cause: error, context: { file } },
    );
  }
}

function migrate(db: SqliteDatabase): void {
  const done = Number(db.pragma("user_version", { simple: true }));
  if (done > migrations.length) {
    throw new EmulatorStartError("the database was written by a newer emulator", { context: { done } });
  }
  db.transaction(() => {
    for (const sql of migrations.slice(done)) db.exec(sql);
    db.pragma(`user_version = ${migrations.length}`);
  }).immediate();
}
