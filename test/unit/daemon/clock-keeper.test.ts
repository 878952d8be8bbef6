import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/core/logger.ts";
import { ClockKeeper } from "../../../src/daemon/clock-keeper.ts";
import { inquireTime } from "../../../src/daemon/time-inquiry.ts";
import { NetworkError, RejectedError } from "../../../src/device-client/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const trueStartMs = Date.UTC(2027, 0, 1);
const builtAtMs = Date.UTC(2026, 10, 1);
const hourMs = 3_600_000;

/** A machine's clocks: real time is the fake clock's, the wall clock is off by what somebody set. */
class Machine {
  readonly real = new FakeClock(trueStartMs);
  private aheadMs = 0;
  readonly keeper: ClockKeeper;

  constructor(wallMs: number, bootId = "boot") {
    this.setWall(wallMs);
    this.keeper = new ClockKeeper({
      wall: {
        now: () => this.real.now() + this.aheadMs,
        monotonic: () => this.real.monotonic(),
        sleep: (ms, signal) => this.real.sleep(ms, signal),
      },
      boot: { sinceBootMs: () => 30_000 + this.real.monotonic() },
      bootId,
      hasHardwareClock: false,
      builtAtMs,
      logger: silentLogger,
    });
  }

  setWall(ms: number): void {
    this.aheadMs = ms - this.real.now();
  }

  /** Murano answers at once. */
  hear(): void {
    const nowMs = this.keeper.serverClock.nowMs();
    const dateMs = Math.floor(this.real.now() / 1000) * 1000;
    this.keeper.serverClock.heard({ dateMs, sentMs: nowMs, receivedMs: nowMs });
  }
}

describe("the engine's own time", () => {
  it("runs on with the boot clock however the wall clock is set, and is set once when the true time is known", async () => {
    const machine = new Machine(10_000);
    const { keeper, real } = machine;
    await real.advance(5_000);
    machine.setWall(Date.UTC(2040, 0, 1));
    expect(keeper.clock.now()).toBe(15_000);
    expect(keeper.time.now().trueMs).toBeUndefined();
    machine.hear();
    expect(Math.abs(keeper.clock.now() - real.now())).toBeLessThanOrEqual(1_000);
    const errorMs = keeper.clock.now() - real.now();
    machine.setWall(0);
    await real.advance(hourMs);
    expect(keeper.clock.now() - real.now()).toBe(errorMs);
    expect(keeper.time.now().stampMs).toBe(15_000 + hourMs);
  });

  it("tells who is believed, and how far the system's clock is off", async () => {
    const machine = new Machine(trueStartMs);
    const { keeper } = machine;
    expect(keeper.status()).toEqual({ trustedBy: undefined, wallErrorMs: undefined });
    keeper.heardSystem();
    expect(keeper.status()).toEqual({ trustedBy: "system", wallErrorMs: 0 });
    machine.setWall(trueStartMs - 2 * hourMs);
    expect(keeper.status()).toEqual({ trustedBy: "system", wallErrorMs: -2 * hourMs });
    expect(keeper.wasSet).toBe(true);
  });

  it("is left to the next run of the same boot, and to a later one as the least time it can be", () => {
    const machine = new Machine(0);
    machine.hear();
    const known = machine.keeper.known();
    const again = new Machine(0);
    again.keeper.restore(known);
    expect(again.keeper.status().trustedBy).toBe("kept");
    expect(Math.abs(again.keeper.clock.now() - trueStartMs)).toBeLessThanOrEqual(1_000);
    const later = new Machine(0, "another boot");
    later.keeper.restore(known);
    expect(later.keeper.isTrusted).toBe(false);
    expect(later.keeper.certificateTimeMs()).toBe(known?.nowMs);
  });

  it("lets certificates be judged by the system's clock unless that is known or seen to be wrong", () => {
    const machine = new Machine(trueStartMs);
    const { keeper } = machine;
    expect(keeper.certificateTimeMs()).toBeUndefined();
    machine.setWall(0);
    expect(keeper.certificateTimeMs()).toBe(builtAtMs);
    machine.setWall(trueStartMs - 2 * hourMs);
    expect(keeper.certificateTimeMs()).toBeUndefined();
    machine.hear();
    expect(Math.abs((keeper.certificateTimeMs() ?? 0) - trueStartMs)).toBeLessThanOrEqual(1_000);
  });

  it("calls each listener once", () => {
    const machine = new Machine(0);
    let calls = 0;
    machine.keeper.onTrusted(() => calls++);
    machine.keeper.onTrusted(() => calls++)();
    machine.hear();
    machine.hear();
    expect(calls).toBe(1);
    machine.keeper.onTrusted(() => calls++);
    expect(calls).toBe(2);
  });
});

describe("asking for the time", () => {
  const failure = (code: string) => new NetworkError(code, { procedure: "timestamp", context: { code } });

  function inquire(
    machine: Machine,
    timestamp: () => Promise<number>,
    fromAnyTime: (notBefore: number) => Promise<number> = () => Promise.reject(failure("unexpected")),
  ) {
    const asked: string[] = [];
    const { keeper } = machine;
    const client = {
      timestamp: () => {
        asked.push("timestamp");
        return timestamp();
      },
      timestampFromAnyTime: (notBefore: number) => {
        asked.push(`from ${notBefore}`);
        return fromAnyTime(notBefore);
      },
    };
    const system = {
      ask: async () => {
        asked.push("system");
        return { synchronised: null, source: null };
      },
    };
    const stop = new AbortController();
    const ended = inquireTime(
      { keeper, system, client, builtAtMs, clock: keeper.clock, random: () => 0, logger: silentLogger },
      stop.signal,
    );
    return { asked, ended, stop };
  }

  it("leaves it to the first check-in where the clock is not plainly wrong", async () => {
    const machine = new Machine(trueStartMs);
    const { asked, ended } = inquire(machine, () => Promise.resolve(0));
    await machine.real.advance(1_000);
    machine.hear();
    await ended;
    expect(asked).toEqual(["system"]);
  });

  it("asks at once in 1970, and without certificates' dates only where they are what is wrong", async () => {
    const machine = new Machine(0);
    const answers = [failure("ECONNREFUSED"), failure("CERT_NOT_YET_VALID")];
    const { asked, ended } = inquire(
      machine,
      () => Promise.reject(answers.shift()),
      () => Promise.resolve(Math.floor(machine.real.now() / 1000)),
    );
    await machine.real.advance(0);
    expect(asked).toEqual(["system", "timestamp"]);
    await machine.real.advance(5_000);
    await ended;
    expect(asked.slice(2)).toEqual(["system", "timestamp", `from ${builtAtMs / 1000}`]);
    expect(machine.keeper.status().trustedBy).toBe("murano");
  });

  it("takes a plausible clock for right where Murano does not tell the time, and one in 1970 never", async () => {
    const refusal = () =>
      Promise.reject(new RejectedError("no such path", { procedure: "timestamp", status: 404 }));
    const plausible = new Machine(trueStartMs);
    const first = inquire(plausible, refusal);
    await plausible.real.advance(5_000);
    await first.ended;
    expect(plausible.keeper.status().trustedBy).toBe("assumed");
    const wrong = new Machine(0);
    const second = inquire(wrong, refusal);
    await wrong.real.advance(hourMs);
    expect(wrong.keeper.isTrusted).toBe(false);
    expect(second.asked.length).toBeGreaterThan(10);
    second.stop.abort();
    await second.ended;
  });
});
