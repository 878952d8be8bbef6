import { mkdtempSync, readdirSync, readlinkSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { InvariantError } from "../../../src/core/errors.ts";
import { openDatabase, type SqliteDatabase } from "../../../src/emulator/store/sqlite/database.ts";
import { GroupCommit } from "../../../src/emulator/store/sqlite/group-commit.ts";
import { WalFile } from "../../../src/emulator/store/sqlite/wal-file.ts";

let directory: string;
let db: SqliteDatabase;
let commit: GroupCommit;
let syncs: number;
let nextSync: () => Promise<void>;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "group-commit-"));
  db = openDatabase(directory);
  db.exec("CREATE TABLE t (n INTEGER NOT NULL UNIQUE) STRICT");
  syncs = 0;
  commit = new GroupCommit(db, async () => {
    syncs += 1;
    await nextSync();
  });
  nextSync = async () => undefined;
});
afterEach(async () => {
  await commit.close();
  db.close();
  rmSync(directory, { recursive: true });
});

const insert = (n: number) => () => db.prepare("INSERT INTO t VALUES (?)").run(n).changes;

function linkOf(fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined; // the listing's own
  }
}
const stored = () => db.prepare<[], number>("SELECT n FROM t ORDER BY n").pluck().all();

test("the file that is synced is the log into which commits go", async () => {
  expect(db.pragma("journal_mode", { simple: true })).toBe("wal");
  const wal = new WalFile(db);
  const before = statSync(`${db.name}-wal`).size;
  await new GroupCommit(db, () => wal.sync()).run(insert(1));
  expect(statSync(`${db.name}-wal`).size).toBeGreaterThan(before);
  db.pragma("wal_checkpoint(TRUNCATE)");
  await new GroupCommit(db, () => wal.sync()).run(insert(2));
  const opened = readdirSync("/proc/self/fd").filter((fd) => linkOf(fd) === `${db.name}-wal`);
  // SQLite's and ours, on a file that was never replaced.
  expect(opened).toHaveLength(2);
  wal.close();
});

test("nobody is answered, and no reader let go, before the commit is on the disk", async () => {
  const disk = Promise.withResolvers<void>();
  nextSync = () => disk.promise;
  const seen: string[] = [];
  const written = commit.run(insert(1)).then(() => seen.push("written"));
  while (syncs === 0) await nextTurn();
  expect(stored()).toEqual([1]);
  const read = commit.durable().then(() => seen.push("read"));
  await nextTurn();
  expect(seen).toEqual([]);
  disk.resolve();
  await Promise.all([written, read]);
  expect(seen.sort()).toEqual(["read", "written"]);
  await commit.durable();
});

test("what comes while a commit is on its way to the disk shares the next one", async () => {
  const disk = Promise.withResolvers<void>();
  nextSync = () => disk.promise;
  const first = commit.run(insert(1));
  while (syncs === 0) await nextTurn();
  const others = [2, 3, 4].map((n) => commit.run(insert(n)));
  await nextTurn();
  expect(stored()).toEqual([1]);
  nextSync = async () => undefined;
  disk.resolve();
  await Promise.all([first, ...others]);
  expect(syncs).toBe(2);
});

test("after a sync that failed nothing is taken or told any more", async () => {
  nextSync = () => Promise.reject(new InvariantError("no disk"));
  const outcomes = await Promise.allSettled([commit.run(insert(1)), commit.run(insert(2))]);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  nextSync = async () => undefined;
  await expect(commit.run(insert(3))).rejects.toThrow("no disk");
  await expect(commit.durable()).rejects.toThrow("no disk");
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
  await commit.close();
  expect(stored()).toEqual([1]);
  await expect(waiting).resolves.toBe(1);
  await expect(commit.run(insert(2))).rejects.toThrow("closed");
});
