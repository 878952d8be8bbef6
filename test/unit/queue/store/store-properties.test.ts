import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Batch, Lane, QueueStore } from "../../../../src/queue/index.ts";
import { fastDirectory, openQueueStore, record, write } from "../../../support/queue-store.ts";

type Step =
  | {
      readonly do: "record" | "write";
      readonly sn: string;
      readonly alias: string;
      readonly at: number;
      readonly count: number;
    }
  | { readonly do: "take"; readonly sn: string; readonly lane: Lane; readonly size: number }
  | { readonly do: "settle"; readonly dead: number }
  | { readonly do: "release" | "move on" | "unreachable" | "reachable" | "retry" | "restart" | "power cut" };

const sn = fc.constantFrom("a", "b");
const lane = fc.constantFrom<Lane>("live", "backlog");
const append = fc.record({
  do: fc.constantFrom("record" as const, "write" as const),
  sn,
  alias: fc.constantFrom("x", "y"),
  at: fc.integer({ min: 0, max: 5 }),
  count: fc.integer({ min: 1, max: 30 }),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: append },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("take" as const),
      sn,
      lane,
      size: fc.integer({ min: 1, max: 25 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("settle" as const), dead: fc.integer({ min: 0, max: 3 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "release" as const,
        "move on" as const,
        "unreachable" as const,
        "reachable" as const,
        "retry" as const,
        "restart" as const,
        "power cut" as const,
      ),
    }),
  },
);

/** Plays steps against a real store and keeps what an observer of both ends would know. */
class Scene {
  store: QueueStore;
  private directory = fastDirectory();
  private held: Batch[] = [];
  private nextValue = 0;
  private readonly accepted = new Set<string>();
  private readonly delivered = new Map<string, number>();
  /** What was once seen with a seq, for good. */
  private readonly values = new Map<number, string>();
  /** The second each seq is known by in Murano. */
  private readonly seconds = new Map<number, number>();
  private readonly owners = new Map<string, number>();
  private readonly lastRecord = new Map<string, number>();
  /** What is live of these waits with the backlog. */
  private readonly outOfReach = new Set<number>();

  constructor() {
    this.store = openQueueStore({ directory: this.directory }).store;
  }

  async play(one: Step): Promise<void> {
    switch (one.do) {
      case "record":
      case "write":
        return this.append(one.do, one.sn, one.alias, one.at, one.count);
      case "take":
        return this.take(one.sn, one.lane, one.size);
      case "settle":
        return this.settle(one.dead);
      case "move on":
        return this.moveOn();
      case "release": {
        const batch = this.held.pop();
        if (batch !== undefined) this.store.release(batch);
        return;
      }
      case "unreachable":
        for (const { id } of this.store.identities.list()) {
          await this.store.unreachable(id);
          this.outOfReach.add(id);
        }
        return;
      case "reachable":
        for (const { id } of this.store.identities.list()) this.store.reachable(id);
        this.outOfReach.clear();
        return;
      case "retry":
        await this.store.dead.retry(undefined);
        return;
      case "restart":
        await this.store.stop();
        return this.reopen(this.directory);
      case "power cut":
        return this.reopen(this.afterPowerCut());
    }
  }

  checkCounts(): void {
    const { entries, counts, deadLetters, waiting } = this.store.status();
    const dead = counts.dead.rejected + counts.dead["too-dense"] + counts.dead.unauthorized;
    expect(entries).toBe(waiting.reduce((sum, one) => sum + one.entries, 0));
    expect(counts.accepted).toBe(entries + counts.delivered + dead - this.deadInBatches());
    expect(deadLetters).toBeLessThanOrEqual(dead);
    const live = waiting.filter((one) => one.lane === "live" && this.outOfReach.has(one.identityId));
    expect(live).toEqual([]);
  }

  /** Brings everything to Murano: each value must arrive, once, at a second of its own. */
  async drain(): Promise<void> {
    for (const batch of this.held.splice(0)) this.store.release(batch);
    await this.store.dead.retry(undefined);
    for (const lane of ["live", "backlog"] as const) {
      for (const { id } of this.store.identities.list()) {
        for (;;) {
          const batch = await this.store.take(id, lane, { maxEntries: 50, maxBytes: 100_000 });
          if (batch === undefined) break;
          this.see(batch);
          await this.store.settle(batch, []);
          for (const { value } of batch.entries) this.deliver(value);
        }
      }
    }
    const lost = [...this.accepted].filter((value) => !this.delivered.has(value));
    const setAside = this.store.dead.list({ limit: 10_000 }).map(({ value }) => value);
    expect(lost.sort()).toEqual(setAside.sort());
    expect([...this.delivered.values()].filter((times) => times > 1)).toEqual([]);
    expect(this.store.status()).toMatchObject({ entries: 0, bytes: 0 });
  }

  private async append(
    kind: "record" | "write",
    sn: string,
    alias: string,
    at: number,
    count: number,
  ): Promise<void> {
    const values = Array.from({ length: count }, () => `${this.nextValue++}`);
    if (kind === "record") await this.store.append(record(sn, `record-${alias}`, 1_000 + at, values));
    else
      await Promise.all(
        values.map((value) => this.store.append(write(sn, `write-${alias}`, at * 900, value))),
      );
    for (const value of values) this.accepted.add(value);
  }

  private async take(sn: string, lane: Lane, size: number): Promise<void> {
    const id = this.store.identities.find({ kind: "vms", vendor: "v", model: "m", sn })?.id;
    if (id === undefined) return;
    const batch = await this.store.take(id, lane, { maxEntries: size, maxBytes: 100_000 });
    if (lane === "live" && this.outOfReach.has(id)) expect(batch).toBeUndefined();
    if (batch === undefined) return;
    this.see(batch);
    this.held.push(batch);
  }

  private async settle(deadCount: number): Promise<void> {
    const batch = this.held.shift();
    if (batch === undefined) return;
    const dead = batch.entries.slice(0, deadCount);
    await this.store.settle(
      batch,
      dead.map(({ seq }) => ({ seq, reason: "rejected" as const, status: 400, answer: "no" })),
    );
    for (const { value } of batch.entries.slice(deadCount)) this.deliver(value);
    // Murano does not have them: their seconds are free.
    for (const { alias, second } of dead) this.owners.delete(`${batch.identityId} ${alias} ${second}`);
  }

  private async moveOn(): Promise<void> {
    const batch = this.held.shift();
    if (batch === undefined) return;
    const refused = batch.entries.slice(0, 2).map(({ seq }) => seq);
    const moved = await this.store.moveOn(batch, refused);
    for (const { seq, second } of moved.entries) {
      if (refused.includes(seq)) {
        expect(second).toBeGreaterThan(this.seconds.get(seq) ?? 0);
        this.seconds.delete(seq);
      }
    }
    this.see(moved);
    this.held.push(moved);
  }

  private see(batch: Batch): void {
    let lastSeq = 0;
    for (const { seq, alias, value, second, timeMs } of batch.entries) {
      expect(seq).toBeGreaterThan(lastSeq);
      lastSeq = seq;
      expect(this.values.get(seq) ?? value).toBe(value);
      expect(this.seconds.get(seq) ?? second).toBe(second);
      expect(second - Math.floor(timeMs / 1000)).toBeLessThanOrEqual(60);
      const place = `${batch.identityId} ${alias} ${second}`;
      expect(this.owners.get(place) ?? seq).toBe(seq);
      const isNew = !this.values.has(seq);
      if (isNew && alias.startsWith("record")) {
        const key = `${batch.identityId} ${alias}`;
        expect(seq).toBeGreaterThan(this.lastRecord.get(key) ?? 0);
        this.lastRecord.set(key, seq);
      }
      this.values.set(seq, value);
      this.seconds.set(seq, second);
      this.owners.set(place, seq);
    }
  }

  private deliver(value: string): void {
    this.delivered.set(value, (this.delivered.get(value) ?? 0) + 1);
  }

  /** Dead by their second, and still in the chunks of a batch that is not settled. */
  private deadInBatches(): number {
    const { counts, entries } = this.store.status();
    const dead = counts.dead.rejected + counts.dead["too-dense"] + counts.dead.unauthorized;
    const surplus = entries + counts.delivered + dead - counts.accepted;
    expect(surplus).toBeGreaterThanOrEqual(0);
    expect(surplus).toBeLessThanOrEqual(counts.dead["too-dense"]);
    return surplus;
  }

  /** The files as they are at this instant, which is after the last answer. */
  private afterPowerCut(): string {
    const directory = join(this.directory, "cut");
    mkdirSync(directory);
    for (const suffix of ["", "-wal"]) {
      const file = join(this.directory, `queue.db${suffix}`);
      if (existsSync(file)) copyFileSync(file, join(directory, `queue.db${suffix}`));
    }
    return directory;
  }

  private reopen(directory: string): void {
    this.directory = directory;
    this.held = [];
    this.outOfReach.clear();
    this.store = openQueueStore({ directory }).store;
  }
}

describe("the queue's store, whatever happens in whatever order", () => {
  it("loses nothing, delivers in order, and gives each value a second of its own for good", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        const scene = new Scene();
        try {
          for (const one of steps) {
            await scene.play(one);
            scene.checkCounts();
          }
          await scene.drain();
        } finally {
          await scene.store.stop();
        }
      }),
      {
        numRuns: 60,
        examples: [
          // A second batch may not overtake the rest of a chunk that is in the first.
          [
            [
              { do: "record", sn: "a", alias: "y", at: 0, count: 2 },
              { do: "take", sn: "a", lane: "backlog", size: 1 },
              { do: "record", sn: "a", alias: "y", at: 0, count: 1 },
              { do: "take", sn: "a", lane: "backlog", size: 1 },
              { do: "release" },
            ],
          ],
          // What was taken live and given back goes with the backlog once its device is out of reach.
          [
            [
              { do: "write", sn: "a", alias: "y", at: 0, count: 2 },
              { do: "take", sn: "a", lane: "live", size: 1 },
              { do: "release" },
              { do: "unreachable" },
              { do: "take", sn: "a", lane: "live", size: 1 },
            ],
          ],
        ],
      },
    );
  });
});
