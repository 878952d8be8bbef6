/**
 * Parts of the queue's bench that need a process of their own. `MODE DIRECTORY`:
 *
 * - `fdatasync SECONDS`: prints the 99th percentile of one after a write of 4 KiB, milliseconds; and at an even pace
 * - `raw`: prints better-sqlite3's inserts a second, 100 a transaction
 * - `commit-per-request`: serves the API with each request committed alone; prints the port
 * - `fill N`: makes a queue with N entries of the bench's device, each a chunk of its own
 * - `open`: prints how long the queue takes to open, milliseconds
 */
import { fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { silentLogger } from "../../src/core/logger.ts";
import { bootId } from "../../src/platform/process-table.ts";
import { openDatabase } from "../../src/platform/sqlite.ts";
import { systemClock } from "../../src/platform/system-clock.ts";
import {
  ApiServer,
  type QueueIntake,
  QueueStore,
  queueAfterSalvage,
  queueMigrations,
} from "../../src/queue/index.ts";
import { plentifulSpace } from "../support/queue-space.ts";
import { rightTime } from "../support/true-time.ts";
import { type Tail, tailOf } from "./percentile.ts";

const [mode = "", directory = "", count = ""] = process.argv.slice(2);
const file = join(directory, "queue.db");
const unlimited = { maxBytes: 1e15, maxEntries: 1e15, maxAgeMs: undefined };

function open() {
  return openDatabase({
    file,
    migrations: queueMigrations,
    afterSalvage: queueAfterSalvage,
    incrementalVacuum: true,
    logger: silentLogger,
    now: systemClock.now,
  });
}

function createStore(): QueueStore {
  return new QueueStore({
    file: { open, isDiskFull: () => false, reserve: plentifulSpace },
    limits: {
      ...unlimited,
      perIdentity: unlimited,
      whenFull: "reject",
      priorities: new Map(),
      maxIdentities: 10,
      maxDeadLetters: 10,
      maxDeadBytes: 1e6,
    },
    rememberedBlocks: 65_536,
    clock: systemClock,
    time: rightTime(bootId(), systemClock),
    logger: silentLogger,
    onReplaced: () => undefined,
  });
}

function fdatasyncTail(seconds: number): Tail {
  const fd = openSync(join(directory, "fdatasync"), "w");
  const page = Buffer.alloc(4096, 1);
  const pages = 1024;
  for (let index = 0; index < pages; index++) writeSync(fd, page, 0, page.length, index * page.length);
  fdatasyncSync(fd);
  // In place, as SQLite's log is written.
  const times: number[] = [];
  for (const endsAt = performance.now() + seconds * 1_000; performance.now() < endsAt; ) {
    writeSync(fd, page, 0, page.length, (times.length % pages) * page.length);
    const startedAt = performance.now();
    fdatasyncSync(fd);
    times.push(performance.now() - startedAt);
  }
  return tailOf(times.sort((a, b) => a - b));
}

function rawInsertsPerSecond(): number {
  const db = new Database(join(directory, "raw.db"));
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.exec("CREATE TABLE points (id INTEGER PRIMARY KEY, alias TEXT, ts INTEGER, value TEXT)");
  const insert = db.prepare("INSERT INTO points (alias, ts, value) VALUES (?, ?, ?)");
  const insertMany = db.transaction((from: number) => {
    for (let index = 0; index < 100; index++) insert.run("temperature", from + index, `21.${index}`);
  });
  const startedAt = performance.now();
  let inserted = 0;
  for (; performance.now() - startedAt < 1_500; inserted += 100) insertMany(1_000_000_000 + inserted);
  return (inserted / (performance.now() - startedAt)) * 1000;
}

async function serveCommitPerRequest(): Promise<void> {
  const store = createStore();
  store.start();
  let last: Promise<void> = Promise.resolve();
  const intake: QueueIntake = {
    append: (request) => {
      last = last.then(() => store.append(request));
      return last;
    },
  };
  const server = new ApiServer({
    intake,
    identities: store.identities,
    activator: { activate: () => Promise.resolve(undefined) },
    readThrough: { read: () => Promise.resolve(undefined) },
    reread: () => Promise.resolve(),
    now: systemClock.now,
    isHealthy: () => true,
    metrics: () => "",
    settings: { port: 0, maxConnections: 256, maxBodyBytes: 4_194_304, requestTimeoutMs: 30_000 },
    socketPath: join(directory, "api.sock"),
    logger: silentLogger,
  });
  await server.start();
  process.stdout.write(`${server.port}\n`);
}

function fill(entries: number): void {
  const { db } = open();
  const times = "'[[\"temperature\",[' || (1000000000000 + i * 1000) || '],[\"21.' || (i % 10) || '\"]]]'";
  db.exec(`
    INSERT INTO identities (vendor, model, sn, state) VALUES ('bench', 'bench', 'app', 'new');
    INSERT INTO boots (boot_id) VALUES ('earlier');
    WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < ${entries})
    INSERT INTO chunks (first_seq, identity, lane, priority, stamped_by, boot, at_ms, since_boot_ms, entries, bytes,
      payload) SELECT i, 1, 1, 5, 0, 1, 1000000000000 + i, i, 1, 47, ${times} FROM numbers;
    INSERT INTO lanes VALUES (1, 1, 5, ${entries}, ${entries * 47}, ${entries}, ${entries});
  `);
  // What follows stays in the log, as a crash leaves it.
  db.pragma("wal_checkpoint(TRUNCATE)");
  db.pragma("wal_autocheckpoint = 0");
  for (let index = 1; index <= 200; index++)
    db.exec(`UPDATE chunks SET at_ms = at_ms + 1 WHERE first_seq = ${index * 50}`);
  process.kill(process.pid, "SIGKILL");
}

async function openingMs(): Promise<number> {
  const store = createStore();
  const startedAt = performance.now();
  store.start();
  const ms = performance.now() - startedAt;
  if (store.status().entries === 0) throw new Error("nothing in it");
  await store.stop();
  return ms;
}

switch (mode) {
  case "fdatasync":
    process.stdout.write(`${JSON.stringify(fdatasyncTail(Number(count)))}\n`);
    break;
  case "raw":
    process.stdout.write(`${rawInsertsPerSecond()}\n`);
    break;
  case "commit-per-request":
    await serveCommitPerRequest();
    break;
  case "fill":
    fill(Number(count));
    break;
  case "open":
    process.stdout.write(`${await openingMs()}\n`);
    break;
}
