import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/core/logger.ts";
import type { Migration } from "../../../src/core/sql.ts";
import { openDatabase } from "../../../src/platform/sqlite.ts";
import { DatabaseOpenError } from "../../../src/platform/sqlite-errors.ts";
import { temporaryDirectory } from "../../support/temp-directory.ts";

const first: Migration = { id: "test/0001", sql: "CREATE TABLE notes (text TEXT NOT NULL) STRICT" };
const second: Migration = { id: "test/0002", sql: "CREATE TABLE more (text TEXT NOT NULL) STRICT" };

function open(
  file: string,
  migrations: readonly Migration[],
  warn: (message: string) => void = () => undefined,
) {
  return openDatabase({ file, migrations, logger: { ...silentLogger, warn }, now: () => 0 }).db;
}

describe("opening a database", () => {
  it("holds WAL and FULL after writing, which better-sqlite3 drops when they are not set", () => {
    const db = open(join(temporaryDirectory(), "a.db"), [first]);
    db.prepare("INSERT INTO notes VALUES ('x')").run();
    expect(db.pragma("journal_mode", { simple: true })).toBe("wal");
    expect(db.pragma("synchronous", { simple: true })).toBe(2);
    db.close();
  });

  it("keeps file and log from other users, whatever the mask and whoever made it", () => {
    const file = join(temporaryDirectory(), "a.db");
    writeFileSync(file, "", { mode: 0o644 });
    const before = process.umask(0);
    try {
      const db = open(file, [first]);
      db.prepare("INSERT INTO notes VALUES ('x')").run();
      for (const suffix of ["", "-wal", "-shm"]) expect(statSync(file + suffix).mode & 0o077).toBe(0);
      db.close();
    } finally {
      process.umask(before);
    }
  });

  it("goes on with what a newer version has written, and says so", () => {
    const file = join(temporaryDirectory(), "a.db");
    open(file, [first, second]).close();
    const warnings: string[] = [];
    const db = open(file, [first], (message) => warnings.push(message));
    db.prepare("INSERT INTO notes VALUES ('x')").run();
    db.close();
    expect(warnings).toEqual([expect.stringContaining("newer version")]);
  });

  it("names the file that it cannot use", () => {
    const directory = temporaryDirectory();
    expect(() => open(directory, [first])).toThrow(DatabaseOpenError);
    expect(() => open(directory, [first])).toThrow(directory);
  });
});
