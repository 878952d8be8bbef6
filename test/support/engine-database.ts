import { join } from "node:path";
import { onTestFinished } from "vitest";
import { silentLogger } from "../../src/core/logger.ts";
import type { Migration } from "../../src/core/sql.ts";
import { openDatabase, type SqliteDatabase } from "../../src/platform/sqlite.ts";
import { temporaryDirectory } from "./temp-directory.ts";

/** A real database file under the durability rules, gone when the test ends. */
export function testDatabase(migrations: readonly Migration[]): SqliteDatabase {
  const { db } = openDatabase({
    file: join(temporaryDirectory(), "gateway.db"),
    migrations,
    logger: silentLogger,
    now: () => 0,
  });
  onTestFinished(() => {
    db.close();
  });
  return db;
}
