import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Lane, QueueStore } from "../../../../src/queue/index.ts";
import { ClocklessMachine } from "../../../support/clockless-machine.ts";
import { all, fastDirectory, openQueueStore, write } from "../../../support/queue-store.ts";

const wall = fc.oneof(
  fc.integer({ min: 0, max: 1e9 }),
  fc.integer({ min: Date.UTC(2026, 4, 20), max: Date.UTC(2026, 5, 20) }),
  fc.constant(Date.UTC(2038, 0, 1)),
);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("write" as const),
      alias: fc.constantFrom("x", "y"),
      count: fc.integer({ min: 1, max: 3 }),
      pauseMs: fc.integer({ min: 1_500, max: 10_000 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("set the clock" as const), wall }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("tell" as const), errorMs: fc.integer({ min: -400, max: 400 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("upload" as const),
      lane: fc.constantFrom<Lane>("live", "backlog"),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("unreachable" as const, "reachable" as const, "restart" as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("reboot" as const),
      wall,
      offMs: fc.integer({ min: 60_000, max: 100_000_000 }),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

interface Accepted {
  readonly key: string;
  readonly boot: number;
  readonly trueMs: number;
}

/** Writes of a machine that does not know the time, as an observer sees them who does. */
class Scene {
  readonly machine: ClocklessMachine;
  private store: QueueStore;
  private readonly directory = fastDirectory();
  private readonly accepted = new Map<string, Accepted>();
  private readonly delivered = new Map<string, number>();
  private readonly told = new Set<number>();
  private readonly bootedMs = new Map<number, number>();
  private next = 0;

  constructor(firstWallMs: number) {
    this.machine = new ClocklessMachine(firstWallMs);
    this.store = this.open();
  }

  async play(one: Step): Promise<void> {
    const { machine } = this;
    switch (one.do) {
      case "write":
        return this.write(one.alias, one.count, one.pauseMs);
      case "set the clock":
        return machine.setWall(one.wall);
      case "tell":
        return this.tell(one.errorMs);
      case "upload":
        return this.upload(one.lane);
      case "unreachable":
        for (const { id } of this.store.identities.list()) await this.store.unreachable(id);
        return;
      case "reachable":
        for (const { id } of this.store.identities.list()) this.store.reachable(id);
        return;
      case "restart":
        machine.pass(10_000);
        await this.store.stop();
        this.store = this.open();
        return;
      case "reboot":
        // What it had not learned by then it never will: the power goes.
        this.bootedMs.set(machine.boot + 1, machine.trueMs + one.offMs);
        machine.reboot(one.offMs, one.wall);
        await this.store.stop();
        this.store = this.open();
        return;
    }
  }

  async end(): Promise<void> {
    await this.tell(0);
    for (const lane of ["live", "backlog"] as const) await this.upload(lane);
    await this.store.stop();
  }

  check(): void {
    expect([...this.delivered.keys()].sort()).toEqual([...this.accepted.keys()].sort());
    const lastOf = new Map<string, number>();
    const shiftOf = new Map<number, number>();
    for (const [value, { key, boot, trueMs }] of this.accepted) {
      const second = this.delivered.get(value) ?? 0;
      expect(second).toBeGreaterThan(lastOf.get(key) ?? 0);
      lastOf.set(key, second);
      const offS = second - trueMs / 1000;
      if (this.told.has(boot)) expect(offS).toBeGreaterThan(-1.5);
      // Values of one alias that are closer than a second move on.
      if (this.told.has(boot)) expect(offS).toBeLessThan(60.5);
      else {
        const next = Math.min(...[...this.told].filter((one) => one > boot));
        const nextBootMs = this.bootedMs.get(next) ?? 0;
        expect(second * 1000).toBeLessThan(nextBootMs + 60_000);
        const shift = shiftOf.get(boot) ?? offS;
        shiftOf.set(boot, shift);
        expect(Math.abs(offS - shift)).toBeLessThan(61);
      }
    }
    const estimated = [...this.accepted.values()].filter(({ boot }) => !this.told.has(boot)).length;
    expect(this.counts.estimated).toBe(estimated);
  }

  private get counts() {
    return this.finalCounts ?? this.store.status().counts;
  }

  private finalCounts: ReturnType<QueueStore["status"]>["counts"] | undefined;

  private async write(alias: string, count: number, pauseMs: number): Promise<void> {
    const { machine } = this;
    for (let index = 0; index < count; index++) {
      const value = String(this.next++);
      this.accepted.set(value, { key: alias, boot: machine.boot, trueMs: machine.trueMs });
      await this.store.append(write("a", alias, this.time.now().stampMs, value));
    }
    machine.pass(pauseMs);
  }

  private async tell(errorMs: number): Promise<void> {
    this.told.add(this.machine.boot);
    this.machine.tell(errorMs);
    await this.store.timeIsKnown();
  }

  private async upload(lane: Lane): Promise<void> {
    for (const { id } of this.store.identities.list()) {
      for (;;) {
        const batch = await this.store.take(id, lane, { ...all, maxEntries: 7 });
        if (batch === undefined) break;
        for (const { value, second } of batch.entries) {
          const { boot = 0 } = this.accepted.get(value) ?? {};
          // Nothing leaves before its time is known, or can only be estimated.
          expect([...this.told].some((one) => one >= boot)).toBe(true);
          expect(this.delivered.has(value)).toBe(false);
          this.delivered.set(value, second);
        }
        await this.store.settle(batch, []);
      }
    }
    this.finalCounts = this.store.status().counts;
  }

  private time = new ClocklessMachine(0).process();

  private open(): QueueStore {
    this.time = this.machine.process();
    return openQueueStore({ directory: this.directory, time: this.time }).store;
  }
}

describe("what the queue stamps on a machine whose clock is wrong", () => {
  it("arrives at its true time and in order, whatever the clock says and whenever the time becomes known", async () => {
    await fc.assert(
      fc.asyncProperty(wall, fc.array(step, { minLength: 1, maxLength: 25 }), async (firstWallMs, steps) => {
        const scene = new Scene(firstWallMs);
        for (const one of steps) await scene.play(one);
        await scene.end();
        scene.check();
      }),
      { numRuns: 60 },
    );
  });
});
