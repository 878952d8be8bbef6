import { describe, expect, it } from "vitest";
import { engineMigrations } from "../../../src/engine/index.ts";
import { Outbox } from "../../../src/engine/outbox.ts";
import { testDatabase } from "../../support/engine-database.ts";

describe("the reports' outbox", () => {
  it("keeps only the newest of each report, and every result in order", () => {
    const outbox = new Outbox(testDatabase(engineMigrations));
    outbox.put("engine_report", "old", "newest");
    outbox.put("fetch_status", "first", "1");
    outbox.put("engine_report", "new", "newest");
    outbox.put("fetch_status", "second", "2");

    const first = outbox.nextBatch();
    expect(first.values).toEqual({ engine_report: "new", fetch_status: "first" });
    outbox.delivered(first);
    expect(outbox.nextBatch().values).toEqual({ fetch_status: "second" });
  });

  it("takes a result once, however often it is put", () => {
    const outbox = new Outbox(testDatabase(engineMigrations));
    outbox.put("fetch_status", "done", "command-1");
    outbox.put("fetch_status", "done", "command-1");
    expect(outbox.waitingResults()).toBe(1);
  });

  it("does not take a report composed meanwhile for delivered", () => {
    const outbox = new Outbox(testDatabase(engineMigrations));
    outbox.put("device_info", "sent", "newest");
    const batch = outbox.nextBatch();
    outbox.put("device_info", "composed while the request was under way", "newest");
    outbox.delivered(batch);
    expect(outbox.nextBatch().values).toEqual({ device_info: "composed while the request was under way" });
  });

  it("sends an answered engine_report no second time", () => {
    const outbox = new Outbox(testDatabase(engineMigrations));
    outbox.put("engine_report", "now", "newest");
    outbox.delivered(outbox.nextBatch());
    expect(outbox.nextBatch().values).toEqual({});
  });

  it("carries every kind of report in one check-in, results one at a time and in order", () => {
    const outbox = new Outbox(testDatabase(engineMigrations));
    for (const result of ["1", "2", "3"]) outbox.put("fetch_status", result, result);
    for (const alias of ["engine_report", "device_info", "usage_report"] as const) {
      outbox.put(alias, `stale ${alias}`, "newest");
      outbox.put(alias, alias, "newest");
    }
    const first = outbox.nextBatch();
    expect(first.values).toEqual({
      fetch_status: "1",
      engine_report: "engine_report",
      device_info: "device_info",
      usage_report: "usage_report",
    });
    outbox.delivered(first);
    const second = outbox.nextBatch();
    expect(second.values).toEqual({ fetch_status: "2" });
    outbox.delivered(second);
    expect(outbox.nextBatch().values).toEqual({ fetch_status: "3" });
  });

  it("remembers no more after a year of idle check-ins than after one", () => {
    const outbox = new Outbox(testDatabase(engineMigrations));
    for (let checkIn = 0; checkIn < 200; checkIn++) {
      outbox.put("engine_report", `report ${checkIn}`, "newest");
      outbox.delivered(outbox.nextBatch());
    }
    const { answered } = outbox as unknown as { readonly answered: ReadonlySet<number> };
    expect(answered.size).toBeLessThanOrEqual(2);
  });

  it("keeps what was not answered for across a restart", () => {
    const db = testDatabase(engineMigrations);
    new Outbox(db).put("fetch_status", "done", "1");
    expect(new Outbox(db).nextBatch().values).toEqual({ fetch_status: "done" });
  });
});
