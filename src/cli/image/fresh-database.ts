import { existsSync } from "node:fs";
import { silentLogger } from "../../core/logger.ts";
import { gatewayMigrations } from "../../daemon/gateway-migrations.ts";
import { durableFiles } from "../../platform/durable-files.ts";
import { openDatabase, openReadOnly, type SqliteDatabase } from "../../platform/sqlite.ts";
import { CommandError } from "../errors.ts";

/** What clones share: the installed applications. All else is one gateway's own. */
const shared = ["supervised_apps", "supervisor_generation", "ota_versions"];

/** @throws CommandError where a job has not ended: half of it would be in every clone */
export function requireIdle(file: string): void {
  if (!existsSync(file)) return;
  const db = openReadOnly(file);
  try {
    const open = db.prepare<[], number>("SELECT count(*) FROM ota_jobs WHERE ended = 0").pluck().get() ?? 0;
    if (open > 0) {
      throw new CommandError(
        "installations have not ended: start the engine, wait for 'gwe status' to show none, and stop it",
      );
    }
  } finally {
    db.close();
  }
}

/**
 * Replaces `gateway.db` by a new file that holds only the installed applications: nothing of what was is left in it,
 * not even in its free pages.
 */
export async function replaceDatabase(file: string): Promise<void> {
  if (!existsSync(file)) return;
  const fresh = `${file}.prepared`;
  for (const suffix of ["", "-wal", "-shm"]) await durableFiles.remove(fresh + suffix);
  const { db } = openDatabase({
    file: fresh,
    migrations: gatewayMigrations,
    logger: silentLogger,
    now: Date.now,
  });
  try {
    copyShared(db, file);
    // All of it into the file itself, which alone is renamed.
    db.pragma("wal_checkpoint(TRUNCATE)");
  } finally {
    db.close();
  }
  for (const suffix of ["-wal", "-shm"]) await durableFiles.remove(file + suffix);
  await durableFiles.move(fresh, file);
}

function copyShared(db: SqliteDatabase, from: string): void {
  db.prepare("ATTACH ? AS former").run(from);
  db.transaction(() => {
    for (const table of shared) {
      const columns = db
        .prepare<[], string>(`SELECT name FROM pragma_table_info('${table}')`)
        .pluck()
        .all()
        .join(", ");
      db.exec(
        `DELETE FROM main.${table}; INSERT INTO main.${table} (${columns}) SELECT ${columns} FROM former.${table};`,
      );
    }
    // Numbers of jobs stand in records of versions: none is given out twice.
    db.exec(
      "DELETE FROM main.sqlite_sequence; INSERT INTO main.sqlite_sequence SELECT * FROM former.sqlite_sequence WHERE name = 'ota_jobs';",
    );
  })();
  db.exec("DETACH former");
}
