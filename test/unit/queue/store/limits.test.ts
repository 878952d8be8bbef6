import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { QueueFullError, type QueueStore } from "../../../../src/queue/index.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { all, fastDirectory, noLimits, openQueueStore, record } from "../../../support/queue-store.ts";
import { unknownTime } from "../../../support/true-time.ts";

const words = (count: number, prefix = "v") =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

/** Values in the order in which they would be uploaded. */
async function content(store: QueueStore): Promise<string[]> {
  const values: string[] = [];
  for (const { id } of store.identities.list()) {
    const batch = await store.take(id, "backlog", all);
    values.push(...(batch?.entries.map(({ value }) => value) ?? []));
    if (batch !== undefined) store.release(batch);
  }
  return values;
}

describe("the queue's limits", () => {
  it("refuse what is new, whole, where they are told to", async () => {
    const { store } = openQueueStore({ limits: { maxEntries: 5 } });
    await store.append(record("a", "x", 1, words(4)));
    await expect(store.append(record("a", "x", 10, words(2)))).rejects.toThrow(QueueFullError);
    await store.append(record("a", "x", 20, ["last"]));
    expect(await content(store)).toEqual([...words(4), "last"]);
  });

  it("drop the oldest, as few as are enough, and count them for good", async () => {
    const directory = fastDirectory();
    const limits = { maxEntries: 5, whenFull: "drop-oldest" as const };
    const { store } = openQueueStore({ directory, limits });
    await store.append(record("a", "x", 1, words(4)));
    await store.append(record("b", "x", 1, words(3, "b")));
    expect(await content(store)).toEqual(["v2", "v3", "b0", "b1", "b2"]);
    await store.stop();
    const again = openQueueStore({ directory, limits }).store;
    expect(again.status().counts).toMatchObject({ accepted: 7, dropped: { entries: 2, bytes: 0, age: 0 } });
  });

  it("hold for each identity apart", async () => {
    const perIdentity = { ...noLimits.perIdentity, maxEntries: 2 };
    const { store } = openQueueStore({ limits: { perIdentity, whenFull: "drop-oldest" } });
    await store.append(record("a", "x", 1, words(2)));
    await store.append(record("b", "x", 1, words(2, "b")));
    await store.append(record("b", "x", 9, ["b2"]));
    expect(await content(store)).toEqual(["v0", "v1", "b1", "b2"]);
    await expect(store.append(record("c", "x", 1, words(3)))).rejects.toThrow(QueueFullError);
  });

  it("drop the least important first, and never for something less important", async () => {
    const priorities = new Map([
      ["debug*", 1],
      ["alarm", 9],
    ]);
    const { store } = openQueueStore({
      limits: { maxEntries: 3, whenFull: "drop-lowest-priority", priorities },
    });
    await store.append(record("a", "alarm", 1, ["alarm"]));
    await store.append(record("a", "debug.x", 1, ["debug"]));
    await store.append(record("a", "other", 1, ["other"]));
    await store.append(record("a", "alarm", 2, ["alarm2"]));
    expect(store.status()).toMatchObject({ entries: 3, counts: { dropped: { entries: 1 } } });
    await store.append(record("a", "alarm", 3, ["alarm3"]));
    await expect(store.append(record("a", "debug.x", 2, ["debug2"]))).rejects.toThrow(QueueFullError);
    expect((await content(store)).sort()).toEqual(["alarm", "alarm2", "alarm3"]);
  });

  it("spare what is being uploaded", async () => {
    const { store } = openQueueStore({ limits: { maxEntries: 3, whenFull: "drop-oldest" } });
    await store.append(record("a", "x", 1, ["flying"]));
    const batch = await store.take(1, "backlog", all);
    await store.append(record("a", "x", 2, ["old"]));
    await store.append(record("a", "x", 3, ["new", "newer"]));
    if (batch !== undefined) await store.settle(batch, []);
    expect(await content(store)).toEqual(["new", "newer"]);
    expect(store.status().counts).toMatchObject({ delivered: 1, dropped: { entries: 1 } });
  });

  it("drop what is too old, by time that is certain", async () => {
    const directory = fastDirectory();
    const limits = { maxAgeMs: 60_000 };
    const clock = new FakeClock();
    const { store } = openQueueStore({ directory, limits, clock });
    await store.append(record("a", "x", 1, ["old"]));
    await clock.advance(50_000);
    await store.append(record("a", "x", 2, ["young"]));
    await clock.advance(45_000);
    expect(store.status()).toMatchObject({ entries: 1, counts: { dropped: { age: 1 } } });
    await store.stop();
    // The clock of the next boot is years ahead: that is no proof of age.
    const nextBoot = new FakeClock(Date.UTC(2038, 0, 1));
    const again = openQueueStore({
      directory,
      limits,
      clock: nextBoot,
      time: unknownTime("boot-2", nextBoot),
    }).store;
    await nextBoot.advance(30_000);
    expect(again.status().entries).toBe(1);
    await nextBoot.advance(60_001);
    expect(await content(again)).toEqual([]);
  });

  it("are kept whatever comes, with everything counted", async () => {
    const request = fc.record({
      sn: fc.constantFrom("a", "b"),
      alias: fc.constantFrom("debug", "x", "alarm"),
      sizes: fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 8 }),
    });
    const whenFull = fc.constantFrom(
      "drop-oldest" as const,
      "reject" as const,
      "drop-lowest-priority" as const,
    );
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 30 }), whenFull, async (requests, policy) => {
        const perIdentity = { ...noLimits.perIdentity, maxEntries: 15 };
        const limits = {
          maxEntries: 20,
          maxBytes: 900,
          perIdentity,
          whenFull: policy,
          priorities: new Map([
            ["debug", 1],
            ["alarm", 9],
          ]),
        };
        const { store } = openQueueStore({ limits });
        let accepted = 0;
        const outcomes = requests.map(async ({ sn, alias, sizes }, index) => {
          const values = sizes.map((size) => "x".repeat(size));
          await store.append(record(sn, alias, index * 10, values)).then(
            () => {
              accepted += values.length;
            },
            (error: unknown) => expect(error).toBeInstanceOf(QueueFullError),
          );
        });
        await Promise.all(outcomes);
        const { entries, bytes, counts, waiting } = store.status();
        expect(entries).toBeLessThanOrEqual(20);
        expect(bytes).toBeLessThanOrEqual(900);
        for (const one of waiting) expect(one.entries).toBeLessThanOrEqual(15);
        expect(counts.accepted).toBe(accepted);
        expect(entries).toBe(accepted - counts.dropped.entries - counts.dropped.bytes);
        if (policy === "reject") expect(entries).toBe(accepted);
        expect((await content(store)).length).toBe(entries);
        await store.stop();
      }),
      { numRuns: 60 },
    );
  });
});
