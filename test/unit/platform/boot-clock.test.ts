import { uptime } from "node:os";
import { describe, expect, it } from "vitest";
import { BootClock } from "../../../src/platform/boot-clock.ts";

/** Clocks of a machine that can be put to sleep, and whose wall clock can be set. */
class Machine {
  asked = 0;
  private monotonic = 100_000;
  private slept = 3_000;
  private wall = 1e12;

  readonly sources = {
    uptimeMs: () => {
      this.asked += 1;
      return Math.floor((this.monotonic + this.slept) / 10) * 10;
    },
    monotonicMs: () => this.monotonic,
    wallMs: () => this.wall,
  };

  run(ms: number): void {
    this.monotonic += ms;
    this.wall += ms;
  }

  sleep(ms: number): void {
    this.slept += ms;
    this.wall += ms;
  }

  set(ms: number): void {
    this.wall = ms;
  }

  get trueMs(): number {
    return this.monotonic + this.slept;
  }
}

describe("the boot clock", () => {
  it("counts suspend, at once when the machine wakes up", () => {
    const machine = new Machine();
    const clock = new BootClock(machine.sources);
    expect(Math.abs(clock.sinceBootMs() - machine.trueMs)).toBeLessThanOrEqual(10);
    machine.run(1_000);
    machine.sleep(7_200_000);
    expect(Math.abs(clock.sinceBootMs() - machine.trueMs)).toBeLessThanOrEqual(10);
  });

  it("runs as evenly as the monotonic clock, and asks the kernel seldom", () => {
    const machine = new Machine();
    const clock = new BootClock(machine.sources);
    const startedMs = clock.sinceBootMs();
    for (let index = 1; index <= 9_000; index++) {
      machine.run(1);
      expect(clock.sinceBootMs() - startedMs).toBe(index);
    }
    expect(machine.asked).toBe(1);
  });

  it("does not move when the wall clock is set", () => {
    const machine = new Machine();
    const clock = new BootClock(machine.sources);
    const before = clock.sinceBootMs();
    for (const wall of [0, 2e12, 5]) {
      machine.set(wall);
      expect(clock.sinceBootMs()).toBe(before);
    }
  });

  it("is the system's uptime", () => {
    const beforeMs = uptime() * 1000;
    const sinceBootMs = new BootClock().sinceBootMs();
    // The kernel tells hundredths of a second.
    expect(sinceBootMs).toBeGreaterThanOrEqual(beforeMs - 20);
    expect(sinceBootMs).toBeLessThanOrEqual(uptime() * 1000 + 20);
  });
});
