import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { silentLogger } from "../../../src/core/logger.ts";
import { openStore } from "../../../src/emulator/store/open-store.ts";
import type { Store } from "../../../src/emulator/store/store.ts";
import { dropTestDatabase, testDatabase } from "../../support/test-database.ts";

async function withClient(
  historyLimit: number,
  work: (store: Store, clientId: number) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "history-"));
  const database = await testDatabase(directory);
  const { store } = await openStore({
    ...(database === undefined ? { dataDirectory: directory } : { database }),
    createMissing: true,
    historyLimit,
    logger: silentLogger,
  });
  try {
    const { owner } = await store.owners.first(undefined);
    await store.models.add({ ownerId: owner.id, name: "p", rid: "", options: "" });
    const model = await store.models.find("p");
    if (!model) return expect.unreachable();
    const request = { model, sn: "1", open: true, connection: "", now: 0 };
    const activation = await store.serials.activate(request);
    if (activation.outcome !== "activated") return expect.unreachable();
    await work(store, activation.clientId);
  } finally {
    await store.close();
    rmSync(directory, { recursive: true });
    await dropTestDatabase(directory);
  }
}

const alias = "a";
const all = { start: 0, end: Number.MAX_SAFE_INTEGER, limit: 10_000, sort: "asc" } as const;

async function values(store: Store, clientId: number): Promise<string[]> {
  const dataport = await store.dataports.find(clientId, { alias });
  if (!dataport) return [];
  return (await store.dataports.history(dataport.id, all)).map(({ value }) => value.toString());
}

test("history is bounded, and keeps the newest", async () => {
  await withClient(10, async (store, clientId) => {
    for (let n = 0; n < 100; n++) {
      await store.dataports.writeRead(clientId, [{ alias, value: Buffer.from(String(n)) }], [], n);
    }
    const kept = (await values(store, clientId)).map(Number);
    expect(kept.length).toBeGreaterThanOrEqual(10);
    expect(kept.length).toBeLessThanOrEqual(21);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, n) => 100 - kept.length + n));
  });
});

test("whatever is written and recorded when: a long poll that passes stamps back sees each later write once, in order", async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("write" as const), at: fc.nat({ max: 3 }) }),
    fc.record({ kind: fc.constant("record" as const), at: fc.integer({ min: -5, max: 700 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      await withClient(1000, async (store, clientId) => {
        let now = 10_000;
        let since = -1;
        const written: string[] = [];
        const seen: string[] = [];
        for (const [index, { kind, at }] of steps.entries()) {
          const value = Buffer.from(`${kind}-${index}`);
          if (kind === "write") {
            now += at;
            written.push(value.toString());
            const readings = await store.dataports.writeRead(clientId, [{ alias, value }], [alias], now);
            // What was just written is what is read.
            expect(readings[0]?.value).toEqual(value);
          } else {
            await store.dataports.record(clientId, [{ alias, points: [{ ts: now + at, value }] }], now);
          }
          for (;;) {
            const point = await store.dataports.nextAfter(clientId, alias, since);
            if (!point) break;
            since = point.ts;
            seen.push(point.value.toString());
          }
        }
        expect(seen.filter((value) => value.startsWith("write"))).toEqual(written);
      });
    }),
    { numRuns: 15 },
  );
});
