import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/core/logger.ts";
import { engineMigrations } from "../../../src/engine/index.ts";
import { otaMigrations } from "../../../src/ota/index.ts";
import { type OpenedDatabase, openDatabase } from "../../../src/platform/sqlite.ts";
import { supervisorAfterSalvage, supervisorMigrations } from "../../../src/supervisor/index.ts";
import { damage, fillGateway, seededRandom } from "../../support/damaged-database.ts";
import { temporaryDirectory } from "../../support/temp-directory.ts";

const migrations = [...engineMigrations, ...otaMigrations, ...supervisorMigrations];
const apps = 6;
const commands = 25;

function open(file: string): OpenedDatabase {
  return openDatabase({
    file,
    migrations,
    afterSalvage: supervisorAfterSalvage,
    logger: silentLogger,
    now: () => 1_000,
  });
}

function gateway(directory: string): string {
  const file = join(directory, "gateway.db");
  const { db } = open(file);
  fillGateway(db, apps, commands);
  db.close();
  return file;
}

const count = (db: Database.Database, table: string): number =>
  db.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get() ?? 0;

describe("a damaged database", () => {
  it("is opened again in 60 states of damage, most of them with every app", () => {
    // In memory: thousands of syncs would make a disk the measure of this test.
    const directory = temporaryDirectory(existsSync("/dev/shm") ? "/dev/shm" : undefined);
    const sound = gateway(directory);
    const file = join(directory, "damaged", "gateway.db");
    let withAllApps = 0;
    let withoutApps = 0;
    for (let seed = 1; seed <= 60; seed++) {
      rmSync(join(directory, "damaged"), { recursive: true, force: true });
      mkdirSync(join(directory, "damaged"));
      copyFileSync(sound, file);
      const how = damage(file, seededRandom(seed));

      const first = open(file);
      const salvaged = count(first.db, "supervised_apps");
      if (salvaged === apps) withAllApps += 1;
      if (salvaged === 0) withoutApps += 1;
      // What was brought over can be worked with: every job has its command, no generation comes twice.
      expect(first.db.pragma("foreign_key_check"), how).toEqual([]);
      const last = first.db.prepare("SELECT last FROM supervisor_generation").pluck().get() as number;
      expect(last, how).toBeGreaterThanOrEqual(salvaged === 0 ? 0 : apps);
      first.db.close();

      const second = open(file);
      expect(second.replaced, `${how}: replaced again and again`).toBeUndefined();
      expect(count(second.db, "supervised_apps"), how).toBe(salvaged);
      second.db.close();
      if (first.replaced !== undefined) expect(existsSync(first.replaced.setAside), how).toBe(true);
      expect(
        readdirSync(join(directory, "damaged")).filter((name) => /scratch|fresh|suspect/.test(name)),
      ).toEqual([]);
    }
    expect(withAllApps).toBeGreaterThanOrEqual(48);
    expect(withoutApps).toBeLessThanOrEqual(9);
  }, 60_000);

  it.each([
    ["of no length", Buffer.alloc(0), false],
    ["of zeros alone", Buffer.alloc(40_960), true],
    ["that never was a database", Buffer.from("[device]\ncik = ''\n".repeat(500)), true],
  ])("%s is no obstacle", (_what, content, isSetAside) => {
    const file = join(temporaryDirectory(), "gateway.db");
    writeFileSync(file, content);
    const { db, replaced } = open(file);
    expect(replaced !== undefined).toBe(isSetAside);
    if (replaced !== undefined) expect(readFileSync(replaced.setAside)).toEqual(content);
    expect(count(db, "supervised_apps")).toBe(0);
    db.close();
  });

  it("keeps its apps beside a log that belongs to another database", () => {
    const directory = temporaryDirectory();
    const file = gateway(directory);
    const other = join(directory, "other.db");
    const stranger = new Database(other);
    stranger.pragma("journal_mode = WAL");
    stranger.exec("CREATE TABLE t (a); INSERT INTO t VALUES (randomblob(9000))");
    copyFileSync(`${other}-wal`, `${file}-wal`);
    stranger.close();

    const { db, replaced } = open(file);
    expect(replaced).toBeDefined();
    expect(count(db, "supervised_apps")).toBe(apps);
    db.close();
  });

  it("keeps what only its log holds when its first page is spoilt", () => {
    const directory = temporaryDirectory();
    const file = gateway(directory);
    const { db } = open(file);
    db.prepare("UPDATE supervised_apps SET version = '2.0'").run();
    const copy = join(directory, "copy.db");
    copyFileSync(file, copy);
    copyFileSync(`${file}-wal`, `${copy}-wal`);
    db.close();
    const fd = openSync(copy, "r+");
    writeSync(fd, Buffer.alloc(4096, 7), 0, 4096, 0);
    closeSync(fd);

    const opened = open(copy);
    expect(opened.db.prepare("SELECT DISTINCT version FROM supervised_apps").pluck().all()).toEqual(["2.0"]);
    opened.db.close();
  });

  it("that a query meets is marked, told once, and replaced at the next start", () => {
    const directory = temporaryDirectory();
    const file = gateway(directory);
    const told: unknown[] = [];
    const { db } = openDatabase({
      file,
      migrations,
      logger: silentLogger,
      now: () => 1_000,
      onCorruption: (error) => told.push(error),
    });
    const page = db
      .prepare<[], number>("SELECT rootpage FROM sqlite_schema WHERE name = 'ota_commands'")
      .pluck()
      .get();
    db.pragma("wal_checkpoint(TRUNCATE)");
    const fd = openSync(file, "r+");
    writeSync(fd, Buffer.alloc(4096, 7), 0, 4096, 4096 * ((page ?? 1) - 1));
    closeSync(fd);
    db.pragma("cache_size = 0");
    db.pragma("shrink_memory");
    const query = db.prepare("SELECT * FROM ota_commands");
    expect(() => query.all()).toThrow(/malformed/);
    expect(() => query.all()).toThrow(/malformed/);
    expect(told).toHaveLength(1);
    db.close();

    const { db: next, replaced } = open(file);
    expect(replaced?.tables).toContainEqual({
      table: "supervised_apps",
      copied: apps,
      refused: 0,
      damaged: false,
    });
    next.close();
    const again = open(file);
    expect(again.replaced).toBeUndefined();
    again.db.close();
  });

  it("is replaced to the end when the power failed between its renames", () => {
    const directory = temporaryDirectory();
    const sound = gateway(directory);
    const file = join(directory, "interrupted", "gateway.db");
    mkdirSync(dirname(file));
    renameSync(sound, `${file}.fresh`);
    writeFileSync(`${file}.suspect`, "damaged\n");
    writeFileSync(`${file}.corrupt-7`, "what it was");
    writeFileSync(`${file}-wal`, "its log, not yet renamed");
    const { db, replaced } = open(file);
    expect(replaced?.setAside).toBe(`${file}.corrupt-7`);
    expect(count(db, "supervised_apps")).toBe(apps);
    db.close();
    expect(readdirSync(dirname(file)).sort()).toEqual([
      "gateway.db",
      "gateway.db.corrupt-7",
      "gateway.db.corrupt-7-wal",
    ]);
  });

  it("gives up but the rows of the page that is damaged, however many there are", () => {
    const { file, pageOf } = longDatabase(205_000);
    overwrite(file, pageOf("early leaf"), Buffer.alloc(4096, 0xa5));
    // Too large to be looked through at each start: a query meets it.
    const before = openLong(file).db;
    expect(() => before.prepare("SELECT sum(length(text)) FROM long_ones").get()).toThrow();
    before.close();
    const { db, replaced } = openLong(file);
    const table = replaced?.tables?.find(({ table }) => table === "long_ones");
    expect(table).toMatchObject({ damaged: true, refused: 0 });
    const there = count(db, "long_ones");
    expect(there).toBe(table?.copied);
    expect(there).toBeLessThan(205_000);
    expect(there).toBeGreaterThan(205_000 - 1_000);
    expect(db.pragma("quick_check(1)", { simple: true })).toBe("ok");
    db.close();
  });

  it("comes to an end where its pages point at one another", () => {
    const { file, pageOf } = longDatabase(5_000);
    // Every child of the root is the first leaf.
    const root = readPage(file, pageOf("root"));
    const cells = root.readUInt16BE(3);
    const first = root.readUInt32BE(root.readUInt16BE(12));
    for (let cell = 0; cell < cells; cell++) root.writeUInt32BE(first, root.readUInt16BE(12 + 2 * cell));
    root.writeUInt32BE(first, 8);
    overwrite(file, pageOf("root"), root);
    const { db } = openLong(file);
    expect(count(db, "long_ones")).toBeGreaterThan(0);
    expect(count(db, "long_ones")).toBeLessThan(1_000);
    db.close();
  });
});

const longMigrations = [
  {
    id: "test/long",
    sql: "CREATE TABLE long_ones (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT",
  },
];

function openLong(file: string): OpenedDatabase {
  return openDatabase({ file, migrations: longMigrations, logger: silentLogger, now: () => 1_000 });
}

/** A database of so many rows, and the offsets of its table's root and of a leaf near its beginning. */
function longDatabase(rows: number): { file: string; pageOf: (which: "root" | "early leaf") => number } {
  const file = join(temporaryDirectory(existsSync("/dev/shm") ? "/dev/shm" : undefined), "long.db");
  const { db } = openLong(file);
  db.exec(`WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < ${rows})
    INSERT INTO long_ones SELECT i, 'a text of some length, so that a page is soon full ' || i FROM numbers`);
  const root = db
    .prepare<[], number>("SELECT rootpage FROM sqlite_schema WHERE name = 'long_ones'")
    .pluck()
    .get();
  const pages = db.pragma("page_count", { simple: true }) as number;
  db.close();
  const offset = (page: number): number => (page - 1) * 4096;
  return {
    file,
    pageOf: (which) => offset(which === "root" ? (root ?? 0) : Math.floor(pages / 50)),
  };
}

function readPage(file: string, offset: number): Buffer {
  return readFileSync(file).subarray(offset, offset + 4096);
}

function overwrite(file: string, offset: number, bytes: Buffer): void {
  const fd = openSync(file, "r+");
  writeSync(fd, bytes, 0, bytes.length, offset);
  closeSync(fd);
}
