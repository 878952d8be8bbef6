import { describe, expect, it, onTestFinished } from "vitest";
import { silentLogger } from "../../../src/core/logger.ts";
import {
  ConflictError,
  NetworkError,
  RateLimitedError,
  UnauthorizedError,
} from "../../../src/device-client/index.ts";
import { CheckInLoop, type CheckInResult, Credentials } from "../../../src/engine/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const cik = "c".repeat(40);
const network = new NetworkError("connection refused", { procedure: "writeRead", requestSent: false });
const nothingNew: CheckInResult = { serverTimeMs: undefined };

interface Setup {
  readonly storedCik?: string;
  readonly random?: () => number;
  readonly activate?: () => Promise<string>;
  readonly checkIn?: () => Promise<CheckInResult>;
}

/** A loop on a clock of the test's own; `times` are the seconds at which it checked in or asked for activation. */
function start(setup: Setup = {}) {
  const clock = new FakeClock();
  const times = { checkIns: [] as number[], activations: [] as number[], commands: [] as number[] };
  const seconds = (): number => Math.round(clock.monotonic() / 100) / 10;
  const results = { waiting: 0 };
  const credentials = new Credentials({
    storage: { current: () => setup.storedCik, replace: () => undefined },
    api: {
      activate: () => {
        times.activations.push(seconds());
        return setup.activate?.() ?? Promise.resolve(cik);
      },
    },
    request: () => ({ vendor: "p", model: "p", sn: "1" }),
    hasCertificate: false,
    logger: silentLogger,
  });
  const loop = new CheckInLoop({
    credentials,
    checkIn: async () => {
      times.checkIns.push(seconds());
      results.waiting = Math.max(0, results.waiting - 1);
      return (await setup.checkIn?.()) ?? nothingNew;
    },
    takeCommand: async () => {
      times.commands.push(seconds());
    },
    resultsWaiting: () => results.waiting > 0,
    clock,
    random: setup.random ?? (() => 0),
    logger: silentLogger,
    updateIntervalS: 60,
    activationRetryIntervalS: 300,
  });
  const stop = new AbortController();
  const running = loop.run(stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await running;
  });
  return { clock, loop, times, results };
}

describe("the check-in loop", () => {
  it("checks in at the start and then at every interval", async () => {
    const { clock, times } = start({ storedCik: cik });
    await clock.advance(180_000);
    expect(times.checkIns).toEqual([0, 60, 120, 180]);
  });

  it("comes up to a tenth of the interval early, never late", async () => {
    const draws = [0.5, 0, 0.999];
    const { clock, times } = start({ storedCik: cik, random: () => draws.shift() ?? 0 });
    await clock.advance(240_000);
    expect(times.checkIns).toEqual([0, 57, 117, expect.closeTo(171, 1), expect.closeTo(231, 1)]);
  });

  it("is stuck when a step takes longer than any may, and not while it waits or fails", async () => {
    const failing = start({ storedCik: cik, checkIn: () => Promise.reject(network) });
    await failing.clock.advance(86_400_000);
    expect(failing.loop.isStuck()).toBe(false);
    const checkIn = Promise.withResolvers<CheckInResult>();
    const hanging = start({ storedCik: cik, checkIn: () => checkIn.promise });
    await hanging.clock.advance(900_000);
    expect(hanging.loop.isStuck()).toBe(false);
    await hanging.clock.advance(1_000);
    expect(hanging.loop.isStuck()).toBe(true);
    checkIn.resolve(nothingNew);
    await hanging.clock.advance(1);
    expect(hanging.loop.isStuck()).toBe(false);
  });

  it("activates first, and checks in as soon as that worked", async () => {
    const { clock, times } = start();
    await clock.advance(1_000);
    expect(times).toMatchObject({ activations: [0], checkIns: [0] });
  });

  it("asks again after the retry interval while Murano refuses activation", async () => {
    const { clock, times } = start({
      activate: () =>
        Promise.reject(new ConflictError("not enabled", { procedure: "activate", status: 409 })),
    });
    await clock.advance(700_000);
    expect(times.activations).toEqual([0, 300, 600]);
    expect(times.checkIns).toEqual([]);
  });

  it("does not wait that long for a link that is not up yet", async () => {
    const { clock, times } = start({ activate: () => Promise.reject(network) });
    await clock.advance(20_000);
    expect(times.activations).toEqual([0, 5, 15]);
  });

  it("backs off while Murano is away, and recovers by itself", async () => {
    let away = true;
    const { clock, times, loop } = start({
      storedCik: cik,
      checkIn: () => (away ? Promise.reject(network) : Promise.resolve(nothingNew)),
    });
    await clock.advance(40_000);
    expect(times.checkIns).toEqual([0, 5, 15, 35]);
    expect(loop.status().lastError).toContain("connection refused");
    away = false;
    await clock.advance(100_000);
    expect(times.checkIns).toEqual([0, 5, 15, 35, 75, 135]);
    expect(loop.status()).toMatchObject({ lastError: null, intervalS: 60 });
  });

  it("honours Retry-After to the second, a waiting result notwithstanding", async () => {
    let limited = true;
    const { clock, times, loop } = start({
      storedCik: cik,
      checkIn: () =>
        limited
          ? Promise.reject(
              new RateLimitedError("slow down", {
                procedure: "writeRead",
                status: 429,
                retryAfterMs: 90_000,
              }),
            )
          : Promise.resolve(nothingNew),
    });
    await clock.advance(1_000);
    limited = false;
    loop.hasten();
    await clock.advance(99_000);
    expect(times.checkIns).toEqual([0, 90]);
  });

  it("tells a command's result at once, a second apart from the last check-in", async () => {
    const { clock, times, loop, results } = start({ storedCik: cik });
    await clock.advance(10_000);
    results.waiting = 3;
    loop.hasten();
    await clock.advance(5_000);
    expect(times.checkIns).toEqual([0, 10, 11, 12]);
  });

  it("brings a check-in forward for news, and again no sooner than five minutes later", async () => {
    const { clock, loop, times } = start({ storedCik: cik });
    loop.changeInterval(3600);
    await clock.advance(10_000);
    loop.hastenForNews();
    await clock.advance(10_000);
    for (let count = 0; count < 10; count++) {
      loop.hastenForNews();
      await clock.advance(1_000);
    }
    await clock.advance(600_000);
    expect(times.checkIns).toEqual([0, 10, 310]);
  });

  it("cuts no backoff short for news", async () => {
    const failing = { storedCik: cik, checkIn: () => Promise.reject(network) };
    const { clock, loop, times } = start(failing);
    await clock.advance(1_000);
    loop.hastenForNews();
    await clock.advance(1_000);
    expect(times.checkIns).toEqual([0]);
  });

  it("applies a new interval from the check-in that brought it", async () => {
    let change = (): void => undefined;
    const { clock, times, loop } = start({
      storedCik: cik,
      checkIn: async () => {
        await Promise.resolve();
        change();
        return nothingNew;
      },
    });
    change = () => loop.changeInterval(10);
    await clock.advance(20_000);
    expect(times.checkIns).toEqual([0, 10, 20]);
  });

  it("takes a command at once when a long poll saw it", async () => {
    const { clock, times, loop } = start({ storedCik: cik });
    await clock.advance(500);
    loop.commandArrived();
    await clock.advance(1);
    expect(times.commands).toEqual([0.5]);
  });

  it("keeps trying with the old CIK while activation is refused", async () => {
    const { clock, times, loop } = start({
      storedCik: cik,
      checkIn: () => Promise.reject(new UnauthorizedError("no", { procedure: "writeRead", status: 401 })),
    });
    await clock.advance(36_000);
    expect(times.checkIns).toEqual([0, 5, 15, 35]);
    loop.checkInNow();
    await clock.advance(1);
    expect(times.checkIns).toHaveLength(5);
  });

  it("does not let a slip in Retry-After silence the gateway for ever, nor hurry it", async () => {
    const answers = [1e12, 0];
    const { clock, times } = start({
      storedCik: cik,
      checkIn: () => {
        const retryAfterMs = answers.shift();
        return retryAfterMs === undefined
          ? Promise.resolve(nothingNew)
          : Promise.reject(
              new RateLimitedError("slow down", { procedure: "writeRead", status: 429, retryAfterMs }),
            );
      },
    });
    await clock.advance(24 * 3_600_000 + 10_000);
    expect(times.checkIns).toEqual([0, 86_400, 86_410]);
  });
});
