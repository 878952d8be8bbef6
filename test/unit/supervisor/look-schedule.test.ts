import { describe, expect, test } from "vitest";
import type { AppStatus, ProcessStatus } from "../../../src/core/app-status.ts";
import { LookSchedule } from "../../../src/supervisor/look-schedule.ts";
import { restMs } from "../../../src/supervisor/rest.ts";

const intervals = { unrestMs: 10_000, restMs: 300_000, fatalRetryMs: 600_000 };
const wallMs = 1_000_000_000;

function process(overrides: Partial<ProcessStatus>): ProcessStatus {
  return { name: "meter", state: "RUNNING", sinceMs: wallMs, restarts: 0, ...overrides };
}

function app(overrides: Partial<AppStatus>): AppStatus {
  return { ...process(overrides), version: "1", kind: "long-running", ...overrides };
}

describe("how long a process may be left to itself", () => {
  test.each<[string, Partial<ProcessStatus>, number]>([
    ["it runs", { state: "RUNNING", pid: 7 }, Number.POSITIVE_INFINITY],
    ["it was started and its process is there", { state: "STARTING", pid: 7 }, Number.POSITIVE_INFINITY],
    ["it is to start, and nothing is there yet", { state: "STARTING" }, 0],
    ["it has ended for good", { state: "EXITED", exitStatus: 0 }, Number.POSITIVE_INFINITY],
    ["it has ended and is to be started again", { state: "EXITED", restarting: true }, 0],
    ["it waits for its next try", { state: "BACKOFF" }, 0],
    ["it is being stopped", { state: "STOPPING", pid: 7 }, 0],
    ["it is stopped", { state: "STOPPED" }, Number.POSITIVE_INFINITY],
    ["it should run, and does not", { state: "UNKNOWN" }, 0],
    ["it gave up a while ago", { state: "FATAL", sinceMs: wallMs - 400_000 }, 200_020],
    ["it gave up so long ago that it is tried again", { state: "FATAL", sinceMs: wallMs - 700_000 }, 0],
  ])("%s", (_what, overrides, expected) => {
    expect(restMs(process(overrides), { nowMs: wallMs, fatalRetryMs: 600_000 })).toBe(expected);
  });

  test("one that gave up is left alone for ever where nothing is tried again", () => {
    expect(restMs(process({ state: "FATAL" }), { nowMs: wallMs, fatalRetryMs: 0 })).toBe(
      Number.POSITIVE_INFINITY,
    );
  });
});

describe("when everything is looked at", () => {
  function looked(isSettled = true): LookSchedule {
    const schedule = new LookSchedule(intervals, () => 0);
    schedule.looked(isSettled, 0);
    return schedule;
  }

  test("at once at first", () => {
    expect(new LookSchedule(intervals, () => 0).nextLookMs(true)).toBe(Number.NEGATIVE_INFINITY);
  });

  test("rarely while all is at rest, often where nobody tells what changes", () => {
    const schedule = looked();
    schedule.seen(app({ pid: 7 }), 0, wallMs);
    expect(schedule.isRestless).toBe(false);
    expect(schedule.nextLookMs(true)).toBe(300_000);
    expect(schedule.nextLookMs(false)).toBe(10_000);
  });

  test("soon after something began, unless it has come to rest meanwhile", () => {
    const schedule = looked();
    schedule.seen(app({ state: "EXITED", restarting: true }), 50_000, wallMs);
    expect(schedule.isRestless).toBe(true);
    expect(schedule.nextLookMs(true)).toBe(60_000);
    // To be seen again does not put the look off.
    schedule.seen(app({ state: "UNKNOWN" }), 55_000, wallMs);
    expect(schedule.nextLookMs(true)).toBe(60_000);
    schedule.seen(app({ state: "STARTING", pid: 8 }), 56_000, wallMs);
    expect(schedule.isRestless).toBe(false);
    expect(schedule.nextLookMs(true)).toBe(300_000);
  });

  test("soon for one process of several that is not at rest, until its app is gone", () => {
    const schedule = looked();
    const processes = [process({ name: "a", pid: 7 }), process({ name: "b", state: "BACKOFF" })];
    schedule.seen(app({ processes }), 0, wallMs);
    expect(schedule.nextLookMs(true)).toBe(10_000);
    schedule.forget("meter");
    expect(schedule.nextLookMs(true)).toBe(300_000);
  });

  test("just when one that gave up is to be tried again, also if it is seen then", () => {
    const schedule = looked();
    const gaveUp = app({ state: "FATAL", sinceMs: wallMs - 590_000 });
    schedule.seen(gaveUp, 0, wallMs);
    expect(schedule.isRestless).toBe(false);
    expect(schedule.nextLookMs(true)).toBe(10_020);
    schedule.seen(gaveUp, 10_030, wallMs + 10_030);
    expect(schedule.nextLookMs(true)).toBe(10_020);
  });

  test("again within moments where it failed, less and less often, but never less than while something is amiss", () => {
    const schedule = new LookSchedule(intervals, () => 0);
    const waits = Array.from({ length: 8 }, () => {
      schedule.looked(false, 0);
      expect(schedule.isRestless).toBe(true);
      return schedule.nextLookMs(true);
    });
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    schedule.looked(true, 0);
    expect(schedule.nextLookMs(true)).toBe(300_000);
  });
});
