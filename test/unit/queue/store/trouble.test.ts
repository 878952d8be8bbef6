import { readdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { QueueUnavailableError } from "../../../../src/queue/index.ts";
import { damage, seededRandom } from "../../../support/damaged-database.ts";
import { all, fastDirectory, openQueueStore, record, write } from "../../../support/queue-store.ts";

describe("the queue in trouble", () => {
  it("refuses what a failed commit held, takes the next, and keeps what was acknowledged", async () => {
    let failing: Database.Database | undefined;
    const { store, clock } = openQueueStore({
      wrap: (open) => {
        const opened = open();
        failing = opened.db;
        return opened;
      },
    });
    await store.append(record("a", "x", 1, ["kept"]));
    // As a disk that is full: SQLite itself refuses to let the file grow.
    failing?.pragma("max_page_count = 1");
    const refused = store.append(record("a", "x", 2, ["y".repeat(60_000)]));
    await expect(refused).rejects.toMatchObject({ code: "QUEUE_UNAVAILABLE", isDiskFull: true });
    expect(store.isWritable).toBe(false);
    await clock.advance(2_000);
    await store.append(record("a", "x", 3, ["next"]));
    const batch = await store.take(1, "backlog", all);
    expect(batch?.entries.map(({ value }) => value)).toEqual(["kept", "next"]);
    expect(batch?.entries.map(({ seq }) => seq)).toEqual([1, 2]);
  });

  it("is asked again when it cannot be opened, no more than once a second", async () => {
    let isBroken = false;
    let attempts = 0;
    const { store, clock } = openQueueStore({
      wrap: (open) => {
        attempts += 1;
        if (isBroken) throw new Database.SqliteError("disk I/O error", "SQLITE_IOERR_FSYNC");
        return open();
      },
    });
    await store.append(record("a", "x", 1, ["kept"]));
    await store.stop();
    isBroken = true;
    attempts = 0;
    const second = openQueueStore({
      clock,
      wrap: (open) => {
        attempts += 1;
        if (isBroken) throw new Database.SqliteError("disk I/O error", "SQLITE_IOERR_FSYNC");
        return open();
      },
    }).store;
    for (let index = 0; index < 5; index++) {
      await expect(second.append(record("a", "x", 2, ["lost"]))).rejects.toThrow(QueueUnavailableError);
    }
    expect(attempts).toBe(1);
    isBroken = false;
    await clock.advance(1_000);
    const heard: string[] = [];
    second.onAppended((_, lane) => heard.push(lane));
    await second.append(record("a", "x", 3, ["taken"]));
    expect(attempts).toBe(2);
    expect(heard).toEqual(["backlog"]);
  });

  it("replaces a damaged file with what can be read of it, and never gives a seq again", async () => {
    const directory = fastDirectory();
    const { store, file } = openQueueStore({ directory });
    for (let index = 0; index < 40; index++) {
      await store.append(
        record(
          "a",
          "x",
          index * 100,
          Array.from({ length: 50 }, (_, i) => `${index}-${i}`),
        ),
      );
    }
    await store.append(write("a", "w", 1_000, "live"));
    const highest = store.status().counts.accepted;
    await store.stop();
    damage(file, seededRandom(7));
    const again = openQueueStore({ directory });
    const { entries } = again.store.status();
    if (again.replaced.length > 0) {
      expect(readdirSync(directory).some((name) => name.startsWith("queue.db.corrupt-"))).toBe(true);
    }
    await again.store.append(record("a", "x", 1_000_000, ["new"]));
    const values = new Set<string>();
    const seqs: number[] = [];
    for (const { id } of again.store.identities.list()) {
      for (const lane of ["live", "backlog"] as const) {
        const batch = await again.store.take(id, lane, all);
        for (const { value, seq } of batch?.entries ?? []) {
          values.add(value);
          seqs.push(seq);
        }
      }
    }
    expect(values.size).toBe(entries + 1);
    expect(values).toContain("new");
    if (again.replaced.length > 0) expect(Math.max(...seqs)).toBeGreaterThan(highest + 1_000_000);
  });

  it("is for its owner alone", async () => {
    const { store, file } = openQueueStore();
    await store.identities.register({ kind: "cik", cik: "c".repeat(40) });
    for (const name of readdirSync(dirname(file)).filter((one) => one.startsWith("queue.db"))) {
      expect(statSync(`${dirname(file)}/${name}`).mode & 0o077).toBe(0);
    }
  });

  it("gives space back", async () => {
    const { store, clock, file } = openQueueStore();
    for (let index = 0; index < 200; index++) {
      await store.append(record("a", "x", index, ["z".repeat(60_000)]));
    }
    for (let batch = await store.take(1, "backlog", all); batch !== undefined; ) {
      await store.settle(batch, []);
      batch = await store.take(1, "backlog", all);
    }
    const before = store.status().fileBytes;
    for (let round = 0; round < 60; round++) await clock.advance(30_000);
    expect(store.status().fileBytes).toBeLessThan(before * 0.6);
    await store.stop();
    expect(statSync(file).size).toBeLessThan(before * 0.6);
  });

  it("serves an identity by every CIK it ever had", async () => {
    const { store } = openQueueStore();
    const vms = { kind: "vms", vendor: "v", model: "m", sn: "s" } as const;
    const { id } = await store.identities.register(vms);
    const [first, second] = ["a".repeat(40), "b".repeat(40)] as const;
    await store.identities.change(id, { cik: first, state: "active" });
    await store.identities.change(id, { cik: second });
    for (const cik of [first, second]) expect(store.identities.find({ kind: "cik", cik })?.id).toBe(id);
  });
});
