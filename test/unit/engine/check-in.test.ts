import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/core/logger.ts";
import { type AliasValues, RejectedError } from "../../../src/device-client/index.ts";
import {
  CommandIntake,
  checkIn,
  EngineFacts,
  engineMigrations,
  Outbox,
  ReportComposer,
  ReportDelivery,
} from "../../../src/engine/index.ts";
import { testDatabase } from "../../support/engine-database.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const tooLarge = new RejectedError("too large", { procedure: "writeRead", status: 413 });

function setUp() {
  const db = testDatabase(engineMigrations);
  const clock = new FakeClock();
  const outbox = new Outbox(db);
  const facts = new EngineFacts(db);
  const murano = {
    values: new Map<string, string>(),
    /** What arrived, in order. */
    told: [] as [string, string][],
    refuses: (_alias: string): boolean => false,
    isDown: false,
  };
  const write = async (values: AliasValues) => {
    if (murano.isDown) throw new RangeError("no route");
    if (Object.keys(values).some((alias) => murano.refuses(alias))) throw tooLarge;
    for (const [alias, value] of Object.entries(values)) {
      murano.told.push([alias, value]);
      if (value === "") murano.values.delete(alias);
    }
    return { serverTimeMs: clock.now() };
  };
  const read = async () => ({ values: new Map(murano.values), serverTimeMs: clock.now() });
  const api = {
    write,
    read,
    writeRead: async (values: AliasValues) => {
      await write(values);
      return read();
    },
  };
  const ran: string[] = [];
  const intake = new CommandIntake({
    api,
    history: { readHistory: async () => [] },
    sink: {
      accept: ({ text }) => {
        ran.push(text);
        return { key: text };
      },
      acknowledgeCleared: () => undefined,
      acknowledgeEmpty: () => undefined,
    },
    facts,
    hash: (text) => text,
    logger: silentLogger,
  });
  const info = { text: "info", digest: "same" };
  const usage = { text: "usage", digest: "ok" };
  const composer = new ReportComposer({
    sources: {
      engineReport: async () => "report",
      deviceInfo: async () => info,
      deviceFingerprint: () => info.digest,
      usageReport: () => usage,
      saveCounts: () => facts.setUsage("counts"),
    },
    outbox,
    facts,
    clock,
    logger: silentLogger,
  });
  const delivery = new ReportDelivery({ api, outbox, composer, logger: silentLogger });
  const intervals = { applied: [] as number[], kept: [] as number[], fails: false };
  const run = () =>
    checkIn(
      {
        api,
        delivery,
        outbox,
        intake,
        intervals: {
          apply: (seconds) => intervals.applied.push(seconds),
          persist: (seconds) => {
            if (intervals.fails) throw new RangeError("disk full");
            intervals.kept.push(seconds);
          },
        },
        logger: silentLogger,
      },
      {},
    );
  return { db, facts, clock, outbox, murano, ran, intervals, info, usage, composer, run };
}

describe("a check-in", () => {
  it("tells the reports, the others once a day, when they changed and when asked", async () => {
    const { clock, murano, info, usage, composer, run } = setUp();
    const told = async (): Promise<readonly string[]> => {
      murano.told.length = 0;
      await run();
      return murano.told.map(([alias]) => alias);
    };
    expect(await told()).toEqual(["engine_report", "device_info", "usage_report"]);
    expect(await told()).toEqual(["engine_report"]);
    info.digest = "another disk";
    expect(await told()).toEqual(["engine_report"]);
    await clock.advance(5 * 60_000);
    expect(await told()).toEqual(["engine_report", "device_info"]);
    usage.digest = "warning";
    expect(await told()).toEqual(["engine_report", "usage_report"]);
    composer.askForAll();
    expect(composer.isAsked).toBe(true);
    expect(await told()).toContain("device_info");
    expect(composer.isAsked).toBe(false);
    await clock.advance(23 * 3_600_000);
    expect(await told()).toEqual(["engine_report"]);
    await clock.advance(3_600_000);
    expect(await told()).toContain("device_info");
  });

  it("tells a change in the end that a failed check-in was to tell, and only once", async () => {
    const { clock, murano, info, run } = setUp();
    await run();
    await clock.advance(5 * 60_000);
    info.digest = "another disk";
    murano.isDown = true;
    await expect(run()).rejects.toThrow("no route");
    murano.isDown = false;
    murano.told.length = 0;
    await run();
    await run();
    expect(murano.told.filter(([alias]) => alias === "device_info")).toHaveLength(1);
  });

  it("tells results one at a time, in order, none twice", async () => {
    const { outbox, murano, run } = setUp();
    outbox.put("fetch_status", "first", "1");
    outbox.put("fetch_status", "second", "2");
    for (let round = 0; round < 3; round++) await run();
    expect(murano.told.filter(([alias]) => alias === "fetch_status").map(([, value]) => value)).toEqual([
      "first",
      "second",
    ]);
  });

  it("takes commands while Murano refuses a report, drops that report after a while, and tells the others", async () => {
    const { outbox, murano, ran, run } = setUp();
    outbox.put("fetch_status", "too large", "1");
    murano.refuses = (alias) => alias === "fetch_status";
    murano.values.set("engine_fetch", "install A");
    await expect(run()).rejects.toBe(tooLarge);
    expect(ran).toEqual(["install A"]);
    await expect(run()).rejects.toBe(tooLarge);
    await run();
    expect(murano.told.map(([alias]) => alias)).toEqual([
      "engine_fetch",
      "engine_report",
      "device_info",
      "usage_report",
    ]);
    expect(outbox.waitingResults()).toBe(0);
    await run();
    expect(murano.told.at(-1)).toEqual(["engine_report", "report"]);
  });

  it("puts an interval in force even if it cannot be kept, and lets Murano hold it until it is", async () => {
    const { murano, intervals, ran, run } = setUp();
    murano.values.set("update_interval", "60");
    murano.values.set("engine_fetch", "install A");
    intervals.fails = true;
    await run();
    expect(intervals.applied).toEqual([60]);
    expect(ran).toEqual(["install A"]);
    expect(murano.values.get("update_interval")).toBe("60");
    intervals.fails = false;
    await run();
    expect(intervals.kept).toEqual([60]);
    expect(murano.values.has("update_interval")).toBe(false);
  });

  it.each(["0", "2147484", "-5", "1.5", "soon", "99999999999999999999"])(
    "refuses the interval %j, clears it and says what is allowed",
    async (text) => {
      const { murano, intervals, run } = setUp();
      murano.values.set("update_interval", text);
      await run();
      await run();
      expect(intervals.applied).toEqual([]);
      expect(murano.values.has("update_interval")).toBe(false);
      expect(murano.told.find(([alias]) => alias === "fetch_status")?.[1]).toContain("from 1 to 2147483");
    },
  );

  it("goes on telling how the gateway is when its disk takes nothing more, and repeats no result", async () => {
    const { db, outbox, murano, run } = setUp();
    outbox.put("fetch_status", "done", "1");
    db.pragma("query_only = ON");
    await run();
    await run();
    const aliases = murano.told.map(([alias]) => alias);
    expect(aliases.filter((alias) => alias === "engine_report")).toHaveLength(2);
    expect(aliases.filter((alias) => alias === "fetch_status")).toHaveLength(1);
    db.pragma("query_only = OFF");
    await run();
    expect(murano.told.filter(([alias]) => alias === "fetch_status")).toHaveLength(1);
  });
});
