import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { all, openQueueStore, record, write } from "../../../support/queue-store.ts";

/** The files as a power cut at this instant leaves them. */
function afterPowerCut(file: string): string {
  const directory = join(dirname(file), "cut");
  mkdirSync(directory);
  for (const suffix of ["", "-wal"]) copyFileSync(file + suffix, join(directory, `queue.db${suffix}`));
  return directory;
}

describe("the queue's counts after a power cut", () => {
  it("include what was appended since they were last written, and seqs go on after it", async () => {
    const { store, file } = openQueueStore();
    await store.append(record("b", "x", 1, ["first", "second"]));
    const settled = await store.take(1, "backlog", all);
    if (settled !== undefined) await store.settle(settled, []);
    // Each a commit and a chunk of its own: over the bound up to which counts wait, and on.
    for (let index = 0; index < 300; index++) await store.append(write("a", "x", index * 1_000, `${index}`));
    for (let index = 0; index < 20; index++) await store.append(record("b", "y", index, [`${index}`]));
    const before = store.status();
    // Moves all of a lane, and counts nothing.
    await store.unreachable(2);

    const { store: reopened } = openQueueStore({ directory: afterPowerCut(file) });
    const { entries, bytes, counts, waiting } = reopened.status();
    expect({ entries, bytes, counts }).toEqual({
      entries: before.entries,
      bytes: before.bytes,
      counts: before.counts,
    });
    expect(waiting.map(({ lane, entries }) => `${entries} ${lane}`).sort()).toEqual([
      "20 backlog",
      "300 backlog",
    ]);
    await reopened.append(write("a", "x", 400_000, "last"));
    const batch = await reopened.take(2, "backlog", all);
    const live = await reopened.take(2, "live", all);
    const seqs = [...(batch?.entries ?? []), ...(live?.entries ?? [])].map(({ seq }) => seq);
    expect(seqs).toHaveLength(301);
    expect(new Set(seqs).size).toBe(301);
    expect(seqs.at(-1)).toBe(2 + 300 + 20 + 1);
  });

  it("are right after a salvage too", async () => {
    const { store, file } = openQueueStore();
    await store.append(record("a", "x", 1, ["1", "2", "3"]));
    const batch = await store.take(1, "backlog", { maxEntries: 1, maxBytes: 1_000 });
    if (batch !== undefined) await store.settle(batch, []);
    await store.append(write("a", "x", 9_000, "4"));
    await store.append(write("b", "x", 9_000, "5"));
    await store.append(record("a", "x", 20, ["6", "7"]));
    const before = store.status();
    await store.stop();
    writeFileSync(`${file}.suspect`, "a test says so\n");

    const { store: salvaged, replaced } = openQueueStore({ directory: dirname(file) });
    expect(replaced).toHaveLength(1);
    expect(salvaged.status()).toMatchObject({ entries: 6, bytes: before.bytes, counts: before.counts });
    await salvaged.append(write("b", "x", 10_000, "6"));
    expect(salvaged.status().counts.accepted).toBe(before.counts.accepted + 1);
  });
});
