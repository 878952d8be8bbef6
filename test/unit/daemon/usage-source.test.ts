import { describe, expect, it } from "vitest";
import type { BudgetConfig } from "../../../src/config/index.ts";
import { silentLogger } from "../../../src/core/logger.ts";
import { ClockKeeper } from "../../../src/daemon/clock-keeper.ts";
import { TrafficBudgets } from "../../../src/daemon/traffic-budgets.ts";
import { UsageSource } from "../../../src/daemon/usage-source.ts";
import { EngineFacts, engineMigrations } from "../../../src/engine/index.ts";
import { testDatabase } from "../../support/engine-database.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const dayMs = 86_400_000;
const noon = Date.UTC(2026, 10, 27, 12);
const budget: BudgetConfig = {
  dailyKib: 100,
  monthlyMib: 0,
  warningPercent: 80,
  resetDay: 1,
  action: "hold-all-but-urgent",
};

function setUp(budgets: ReadonlyMap<string, BudgetConfig> = new Map([["lo", budget]])) {
  const facts = new EngineFacts(testDatabase(engineMigrations));
  const clock = new FakeClock(noon);
  const keeper = new ClockKeeper({
    wall: clock,
    boot: { sinceBootMs: () => clock.monotonic() },
    bootId: "a",
    hasHardwareClock: true,
    builtAtMs: noon,
    logger: silentLogger,
  });
  const kernel = { rx: 5_000, tx: 0 };
  const start = (): UsageSource =>
    new UsageSource({
      facts,
      budgets: new TrafficBudgets({ budgets, facts, clock, keeper, logger: silentLogger }),
      counters: () => [{ name: "lo", ifindex: 1, ...kernel }],
      clock,
      keeper,
      logger: silentLogger,
    });
  const exchange = (bytesReceived: number, localAddress: string | null = "127.0.0.1") => ({
    consumer: "gwe",
    procedure: "read" as const,
    status: 200,
    bytesSent: 100,
    bytesReceived,
    durationMs: 1,
    localAddress: localAddress ?? undefined,
    reusedConnection: false,
  });
  return { facts, clock, kernel, start, exchange };
}

const reported = (usage: UsageSource) => JSON.parse(usage.report().text).lo;

describe("counted usage", () => {
  it("is kept with a commit of the caller's, at a stop, and after a MiB; a restart goes on with it", () => {
    const { facts, kernel, start, exchange } = setUp(new Map());
    const usage = start();
    usage.audit(exchange(400));
    usage.audit(exchange(999, null));
    usage.report();
    kernel.rx += 600;
    expect(reported(usage)).toMatchObject({ rx: 600, top_consumer: "gwe:read" });
    expect(facts.usage()).toBeUndefined();
    usage.save();
    usage.audit(exchange(2 ** 20));
    kernel.rx += 50;
    usage.stop();
    expect(reported(start())).toMatchObject({
      rx: 650,
      consumers: {
        "gwe:read": { num: 2, tot_rx: 400 + 2 ** 20, max_rx: 2 ** 20, tot_tx: 200, max_tx: 100 },
      },
    });
  });

  it("is on disk after a MiB of requests, and after a MiB of an interface with a budget", () => {
    const { facts, kernel, start, exchange } = setUp();
    const usage = start();
    usage.report();
    usage.audit(exchange(2 ** 20));
    expect(facts.usage()).toMatchObject({ interfaces: { lo: { consumers: { "gwe:read": {} } } } });
    kernel.rx += 2 ** 20;
    usage.report();
    expect(facts.usage()).toMatchObject({ interfaces: { lo: { rx: 2 ** 20 } } });
    expect(facts.budgets()).toMatchObject({ lo: { day: { bytes: 2 ** 20 } } });
  });
});

describe("a budget", () => {
  it("holds once it is exceeded, across restarts, until the next day; each change of its level is told", async () => {
    const { clock, kernel, start, exchange } = setUp();
    const usage = start();
    const changes: [boolean, string][] = [];
    usage.onChanged(({ isLevelNew }) => changes.push([isLevelNew, usage.hold]));
    usage.audit(exchange(10));
    const before = usage.report().digest;
    kernel.rx += 80 * 1024;
    const warned = usage.report();
    expect(warned.digest).not.toBe(before);
    expect(usage.hold).toBe("nothing");
    kernel.tx += 20 * 1024;
    usage.report();
    expect(usage.hold).toBe("all-but-urgent");
    expect(changes).toEqual([
      [true, "nothing"],
      [true, "all-but-urgent"],
    ]);
    usage.stop();

    const again = start();
    again.audit(exchange(10));
    expect(again.hold).toBe("all-but-urgent");
    expect(reported(again)).toMatchObject({ budget: "exceeded", day_limit: 102_400 });
    await clock.advance(dayMs);
    again.report();
    expect(again.hold).toBe("nothing");
  });

  it("notices a large request before the next look at the counters, and a download while it goes on", () => {
    const { kernel, start, exchange } = setUp();
    const usage = start();
    usage.audit(exchange(10));
    kernel.rx += 200 * 1024;
    usage.audit(exchange(10));
    expect(usage.hold).toBe("nothing");
    usage.flowed(64 * 1024);
    expect(usage.hold).toBe("all-but-urgent");
  });

  it("looks by itself every minute", async () => {
    const { clock, kernel, start, exchange } = setUp();
    const usage = start();
    usage.audit(exchange(10));
    const stop = new AbortController();
    const watching = usage.watch(stop.signal);
    kernel.rx += 200 * 1024;
    await clock.advance(60_000);
    expect(usage.hold).toBe("all-but-urgent");
    stop.abort();
    await watching;
  });

  it("holds nothing that goes another way", () => {
    const { kernel, start, exchange } = setUp(new Map([["ppp*", budget]]));
    const usage = start();
    usage.audit(exchange(10));
    kernel.rx += 200 * 1024;
    usage.report();
    expect(usage.hold).toBe("nothing");
    expect(reported(usage)).not.toHaveProperty("budget");
  });
});
