import { rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { silentLogger } from "../../../src/core/logger.ts";
import { SpaceReserve } from "../../../src/platform/space-reserve.ts";
import type { QueueStore } from "../../../src/queue/index.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { openQueueStore, record } from "../../support/queue-store.ts";
import { SmallDisk } from "../../support/small-disk.ts";

const value = "x".repeat(4_000);
const manyEntries = 10_000;
const batch = { maxEntries: 100, maxBytes: 1_000_000 };

// Mounting a file system takes root.
describe.skipIf(process.getuid?.() !== 0)("a queue whose disk is full", () => {
  let directory: string;
  let clock: FakeClock;

  beforeEach((context) => {
    const disk = SmallDisk.make(32);
    if (disk === undefined) return context.skip("mounting is not allowed here");
    directory = disk.mount;
    clock = new FakeClock();
    onTestFinished(() => disk[Symbol.dispose]());
  });

  async function openQueue(): Promise<{ store: QueueStore; reserve: SpaceReserve }> {
    const reserve = new SpaceReserve({
      file: join(directory, "queue.reserve"),
      bytes: 8 * 1024 * 1024,
      clock,
      logger: silentLogger,
    });
    const { store } = openQueueStore({ directory, clock, reserve: () => reserve });
    await reserve.restore();
    return { store, reserve };
  }

  /** Writes on from that second. @returns the first that was refused */
  async function fill(store: QueueStore, from = 0): Promise<number> {
    for (let second = from; second < manyEntries; second++) {
      try {
        await store.append(record("a", "x", second, [value]));
      } catch (error) {
        expect(error).toMatchObject({ code: "QUEUE_UNAVAILABLE", isDiskFull: true });
        return second;
      }
    }
    return expect.unreachable("the disk does not fill up");
  }

  /** @returns the seconds of what came, in order */
  async function drain(store: QueueStore): Promise<number[]> {
    const seconds: number[] = [];
    for (;;) {
      const taken = await store.take(1, "backlog", batch);
      if (taken === undefined) return seconds;
      seconds.push(...taken.entries.map(({ second }) => second));
      await store.settle(taken, []);
    }
  }

  const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

  it("that it has filled itself is emptied to the last entry, and takes new ones then", async () => {
    const { store } = await openQueue();
    const acknowledged = await fill(store);
    expect(store.isWritable).toBe(false);
    expect(store.status()).toMatchObject({ entries: acknowledged, isWritable: false });
    await expect(store.append(record("a", "x", 1e6, [value]))).rejects.toMatchObject({ isDiskFull: true });
    expect(await drain(store)).toEqual(upTo(acknowledged));
    // Unused pages are given back a little at a time, and the space is set aside anew.
    await eventually("the space to be set aside", async () => {
      await clock.advance(1_000);
      return statSync(join(directory, "queue.reserve")).size > 0 && store.isWritable;
    });
    await store.append(record("a", "x", 2e6, ["new"]));
    expect(await drain(store)).toEqual([2e6]);
  });

  it("that others have filled delivers what it has, also after a restart, and takes new ones when there is room", async () => {
    const { store } = await openQueue();
    for (const second of upTo(20)) await store.append(record("a", "x", second, [value]));
    expect(() => writeFileSync(join(directory, "others"), Buffer.alloc(30_000_000))).toThrow("ENOSPC");
    const acknowledged = await fill(store, 20);
    await store.stop();
    const second = await openQueue();
    expect(second.store.status().entries).toBe(acknowledged);
    await expect(second.store.append(record("a", "x", 1e6, [value]))).rejects.toMatchObject({
      isDiskFull: true,
    });
    expect(await drain(second.store)).toEqual(upTo(acknowledged));
    rmSync(join(directory, "others"));
    await clock.advance(60_000);
    await second.store.append(record("a", "x", 2e6, ["new"]));
    expect(second.reserve.isEnough()).toBe(true);
  });
});
