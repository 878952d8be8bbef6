import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { InvariantError } from "../../../src/core/errors.ts";
import { openDatabase, type SqliteDatabase } from "../../../src/emulator/store/sqlite/database.ts";
import { GroupCommit } from "../../../src/emulator/store/sqlite/group-commit.ts";

let directory: string;
let db: SqliteDatabase;
let commit: GroupCommit;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "group-commit-"));
  db = openDatabase(directory);
  db.exec("CREATE TABLE t (n INTEGER NOT NULL UNIQUE) STRICT");
  commit = new GroupCommit(db);
});
afterEach(() => {
  db.close();
  rmSync(directory, { recursive: true });
});

const insert = (n: number) => () => db.prepare("INSERT INTO t VALUES (?)").run(n).changes;
const stored = () => db.prepare<[], number>("SELECT n FROM t ORDER BY n").pluck().all();

test("commits are synced: WAL with synchronous=FULL, also after the first write", async () => {
  await commit.run(insert(1));
  expect(db.pragma("journal_mode", { simple: true })).toBe("wal");
  expect(db.pragma("synchronous", { simple: true })).toBe(2);
});

test("nobody is answered before all of the turn is committed, and nothing is left open", async () => {
  const seen: boolean[] = [];
  const answered = [1, 2, 3].map((n) => commit.run(insert(n)).then(() => seen.push(db.inTransaction)));
  expect(stored()).toEqual([]);
  await Promise.all(answered);
  expect(seen).toEqual([false, false, false]);
  expect(stored()).toEqual([1, 2, 3]);
});

test("one that fails takes nothing of its own along and spoils nothing of the others", async () => {
  const half = () => {
    insert(10)();
    throw new InvariantError("half done");
  };
  const results = await Promise.allSettled([
    commit.run(insert(1)),
    commit.run(half),
    commit.run(insert(1)),
    commit.run(insert(2)),
  ]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
  expect(stored()).toEqual([1, 2]);
});

test("more than a batch holds is committed all the same", async () => {
  await Promise.all(Array.from({ length: 1_300 }, (_, n) => commit.run(insert(n))));
  expect(stored()).toHaveLength(1_300);
});

test("closing commits what waits and refuses what comes", async () => {
  const waiting = commit.run(insert(1));
  commit.close();
  expect(stored()).toEqual([1]);
  await expect(waiting).resolves.toBe(1);
  await expect(commit.run(insert(2))).rejects.toThrow("closed");
});
