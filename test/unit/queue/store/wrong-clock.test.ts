import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../../src/core/logger.ts";
import { openDatabase } from "../../../../src/platform/sqlite.ts";
import { type Lane, type QueueStore, queueMigrations } from "../../../../src/queue/index.ts";
import { ClocklessMachine } from "../../../support/clockless-machine.ts";
import { all, fastDirectory, openQueueStore, record, write } from "../../../support/queue-store.ts";

const in1970 = 10_000;

/** A queue on a machine in 1970 that may be told the time, and rebooted. */
class Gateway {
  readonly machine = new ClocklessMachine(in1970);
  private readonly directory = fastDirectory();
  private time = this.machine.process();
  store: QueueStore = this.open();

  write(value: string): Promise<void> {
    return this.store.append(write("a", "x", this.time.now().stampMs, value));
  }

  async tell(): Promise<void> {
    this.machine.tell(0);
    await this.store.timeIsKnown();
  }

  async reboot(offMs: number, wallMs = in1970): Promise<void> {
    await this.store.stop();
    this.machine.reboot(offMs, wallMs);
    this.time = this.machine.process();
    this.store = this.open();
  }

  /** What a lane holds, delivered: values and seconds. */
  async upload(lane: Lane, maxEntries = 1_000): Promise<[value: string, second: number][]> {
    const batch = await this.store.take(1, lane, { ...all, maxEntries });
    if (batch !== undefined) await this.store.settle(batch, []);
    return batch?.entries.map(({ value, second }) => [value, second]) ?? [];
  }

  private open(): QueueStore {
    return openQueueStore({ directory: this.directory, time: this.time }).store;
  }
}

const seconds = (ms: number): number => Math.floor(ms / 1000);

describe("a queue that does not know the time", () => {
  it("holds what it stamped, says so, and tells when that is over", async () => {
    const gateway = new Gateway();
    const { store, machine } = gateway;
    const writtenMs = machine.trueMs;
    await gateway.write("early");
    expect(store.waiting()).toMatchObject([{ lane: "live", entries: 1, isHeld: true }]);
    expect(await gateway.upload("live")).toEqual([]);
    const told: string[] = [];
    store.onAppended((_, lane) => told.push(lane));
    machine.pass(3_600_000);
    await gateway.tell();
    expect(told).toEqual(["live"]);
    expect(store.waiting()).toMatchObject([{ isHeld: false }]);
    expect(await gateway.upload("live")).toEqual([["early", seconds(writtenMs)]]);
    expect(store.status().counts).toMatchObject({ delivered: 1, estimated: 0, moved: 0 });
  });

  it("holds what apps dated by a clock that is plainly wrong, and leaves every other time of theirs alone", async () => {
    const gateway = new Gateway();
    const { machine, store } = gateway;
    const writtenMs = machine.trueMs;
    await store.append(record("a", "dated", seconds(machine.wallMs), ["now"]));
    await store.append(record("a", "imported", 1_234_567_890, ["of 2009"]));
    await store.append(record("a", "own clock", seconds(writtenMs), ["by GPS"]));
    expect(await gateway.upload("backlog")).toEqual([]);
    await gateway.tell();
    expect(await gateway.upload("backlog")).toEqual([
      ["now", seconds(writtenMs)],
      ["of 2009", 1_234_567_890],
      ["by GPS", seconds(writtenMs)],
    ]);
  });

  it("neither holds nor changes what apps dated where the clock may be right", async () => {
    const gateway = new Gateway();
    const wallMs = gateway.machine.trueMs - 7_200_000;
    await gateway.reboot(0, wallMs);
    await gateway.store.append(record("a", "x", seconds(wallMs), ["two hours behind"]));
    expect(await gateway.upload("backlog")).toEqual([["two hours behind", seconds(wallMs)]]);
  });

  it("lets boots that never learned the time end just before the next began, in one piece, for good", async () => {
    const gateway = new Gateway();
    const { machine } = gateway;
    await gateway.write("one");
    machine.pass(100_000);
    await gateway.write("two");
    machine.pass(5_000);
    const offMs = 3_600_000;
    const nextBootMs = machine.trueMs + offMs;
    await gateway.reboot(offMs);
    await gateway.write("three");
    machine.pass(60_000);
    await gateway.tell();
    expect(await gateway.upload("live", 1)).toEqual([["one", seconds(nextBootMs - 101_000)]]);
    await gateway.reboot(1_000);
    expect(await gateway.upload("live")).toEqual([
      ["two", seconds(nextBootMs - 1_000)],
      ["three", seconds(nextBootMs + 3_000)],
    ]);
    expect(gateway.store.status().counts.estimated).toBe(2);
  });

  it("believes a hardware clock of a boot that nobody told the time, where nothing speaks against it", async () => {
    const gateway = new Gateway();
    const { machine } = gateway;
    machine.hasHardwareClock = true;
    await gateway.reboot(60_000, machine.trueMs + 60_000);
    const wallMs = machine.wallMs;
    await gateway.write("right");
    // The battery is empty at last.
    await gateway.reboot(3_600_000);
    await gateway.write("in 1970");
    await gateway.reboot(60_000);
    await gateway.tell();
    const [right, in1970] = await gateway.upload("live");
    expect(right).toEqual(["right", seconds(wallMs)]);
    expect(in1970?.[1]).toBeGreaterThan(seconds(machine.trueMs) - 70);
    expect(gateway.store.status().counts.estimated).toBe(1);
  });

  it("takes a dead letter back with the time that it was put right to", async () => {
    const gateway = new Gateway();
    const { machine, store } = gateway;
    const writtenMs = machine.trueMs;
    await gateway.write("refused");
    await gateway.tell();
    const batch = await store.take(1, "live", all);
    if (batch === undefined) expect.unreachable();
    await store.settle(
      batch,
      batch.entries.map(({ seq }) => ({ seq, reason: "rejected" })),
    );
    expect(store.dead.list({ limit: 1 })).toMatchObject([{ timeMs: writtenMs }]);
    await gateway.reboot(60_000);
    await gateway.store.dead.retry(undefined);
    await gateway.tell();
    expect(await gateway.upload("backlog")).toEqual([["refused", seconds(writtenMs)]]);
  });
});

describe("a queue of an engine that did not know of this", () => {
  it("sends what an earlier boot stamped as it was stamped, unless that cannot be", async () => {
    const machine = new ClocklessMachine(in1970);
    const directory = fastDirectory();
    const file = join(directory, "queue.db");
    const stampedMs = machine.trueMs - 86_400_000;
    const before = openDatabase({
      file,
      migrations: queueMigrations.slice(0, 1),
      logger: silentLogger,
      now: () => 0,
      onCorruption: () => expect.unreachable(),
    }).db;
    before.exec(`
      INSERT INTO identities (vendor, model, sn, state) VALUES ('v', 'm', 'a', 'new');
      INSERT INTO boots (boot_id) VALUES ('in 1970'), ('with a battery');
      INSERT INTO chunks VALUES
        (1, 1, 1, 5, 1, 1, 50000, 20000, 1, 34, '[["x",[50000],["1"]]]'),
        (2, 1, 1, 5, 1, 2, ${stampedMs}, 30000, 1, 34, '[["x",[${stampedMs}],["2"]]]');
      INSERT INTO lanes VALUES (1, 1, 5, 2, 68, 2, 2);
    `);
    before.close();
    machine.tell(0);
    const { store } = openQueueStore({ directory, time: machine.process() });
    const batch = await store.take(1, "backlog", all);
    expect(batch?.entries.map(({ value, second }) => [value, second])).toEqual([
      ["1", seconds(stampedMs - 30_000 - 1_000)],
      ["2", seconds(stampedMs)],
    ]);
    expect(store.status().counts.estimated).toBe(1);
  });
});

describe("a live write that overtakes a backlog of its alias", () => {
  // Three within a second, held back: they will move on to the seconds that follow.
  async function burst(gateway: Gateway): Promise<void> {
    await gateway.store.unreachable(1);
    for (const value of ["1", "2", "3"]) await gateway.write(value);
    gateway.store.reachable(1);
    gateway.machine.pass(1_000);
  }

  async function expectOrder(gateway: Gateway): Promise<void> {
    const [last] = await gateway.upload("live");
    const backlog = await gateway.upload("backlog");
    expect(backlog.map(([value]) => value).slice(-3)).toEqual(["1", "2", "3"]);
    expect(last?.[1]).toBeGreaterThan(backlog.at(-1)?.[1] ?? Number.POSITIVE_INFINITY);
  }

  it("lands behind it though the time became known in between", async () => {
    const gateway = new Gateway();
    await gateway.write("0");
    await burst(gateway);
    await gateway.tell();
    await gateway.write("4");
    await expectOrder(gateway);
  });

  it("lands behind it though stamps are by a clock that was known to be wrong", async () => {
    const gateway = new Gateway();
    await gateway.write("0");
    await gateway.tell();
    await burst(gateway);
    await gateway.write("4");
    await expectOrder(gateway);
  });
});
