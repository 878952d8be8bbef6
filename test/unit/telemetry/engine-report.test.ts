import { describe, expect, it } from "vitest";
import type { AppStatus } from "../../../src/core/app-status.ts";
import { formatUptime } from "../../../src/core/uptime.ts";
import { encodeCompactForm } from "../../../src/device-client/form.ts";
import { engineReport } from "../../../src/telemetry/index.ts";

const running: AppStatus = {
  name: "meter",
  version: "1.2.3",
  kind: "long-running",
  state: "RUNNING",
  sinceMs: 1_000,
  pid: 42,
  startedAtMs: 1_000,
  restarts: 2,
};

const engine = {
  uptimeMs: 0,
  lastCheckInMs: undefined,
  lastFailure: undefined,
  diskWrittenInDayBytes: undefined,
};

describe("engine_report", () => {
  it("is the list of one-key objects that dashboards parse, the engine and its queue included", () => {
    const text = engineReport({
      apps: [running, { ...running, name: "once", state: "EXITED", exitStatus: 3 }],
      engineVersion: "9.9",
      engine: {
        uptimeMs: 90_061_000,
        lastCheckInMs: 1_000,
        lastFailure: { text: `check-in failed: ${"x".repeat(300)}`, atMs: 2_999 },
        diskWrittenInDayBytes: 4096,
      },
      queue: {
        uptimeMs: 61_000,
        entries: 3,
        bytes: 120,
        oldestWaitedMs: 7_600,
        dropped: 2,
        deadLetters: 1,
      },
      nowMs: 3_772_000,
    });
    expect(JSON.parse(text).apps.slice(0, 1)).toEqual([
      { meter: { status: "RUNNING", uptime: "1:02:51", exitstatus: 0, version: "1.2.3", restarts: 2 } },
    ]);
    expect(JSON.parse(text).apps[1].once).toMatchObject({ status: "EXITED", exitstatus: 3 });
    expect(JSON.parse(text).apps[2]).toEqual({
      gwe: {
        status: "RUNNING",
        uptime: "1 day, 1:01:01",
        exitstatus: 0,
        version: "9.9",
        last_check_in: 1,
        last_error: expect.stringMatching(/^check-in failed: x{183}$/),
        last_error_at: 2,
        disk_written_24h: 4096,
      },
    });
    expect(JSON.parse(text).apps[3]).toEqual({
      gmq: {
        status: "RUNNING",
        uptime: "0:01:01",
        exitstatus: 0,
        version: "9.9",
        entries: 3,
        dropped: 2,
        dead_letters: 1,
        bytes: 120,
        oldest: 8,
      },
    });
  });

  it("takes a quiet gateway with three apps, up for months, at most 700 bytes on the wire", () => {
    const dayMs = 86_400_000;
    const text = engineReport({
      apps: ["modbus", "weather", "camera"].map((name) => ({ ...running, name, restarts: 0 })),
      engineVersion: "10.12.3",
      engine: { ...engine, uptimeMs: 200 * dayMs, lastCheckInMs: 1e12, diskWrittenInDayBytes: 123_456_789 },
      queue: {
        uptimeMs: 200 * dayMs,
        entries: 0,
        bytes: 0,
        oldestWaitedMs: undefined,
        dropped: 0,
        deadLetters: 0,
      },
      nowMs: 200 * dayMs,
    });
    expect(encodeCompactForm([["engine_report", text]]).length).toBeLessThanOrEqual(700);
  });

  it("tells an error for a day", () => {
    const lastFailure = { text: "no route", atMs: 0 };
    const told = (nowMs: number): unknown =>
      JSON.parse(
        engineReport({
          apps: [],
          engineVersion: "9",
          engine: { ...engine, lastFailure },
          queue: undefined,
          nowMs,
        }),
      ).apps[0].gwe.last_error;
    expect(told(86_399_999)).toBe("no route");
    expect(told(86_400_000)).toBeUndefined();
  });

  it("lists the processes of an app that has several", () => {
    const processes = [
      { name: "w0", state: "RUNNING", sinceMs: 0, pid: 7, startedAtMs: 1_000, restarts: 0 },
      { name: "w1", state: "FATAL", sinceMs: 0, exitStatus: 2, restarts: 4, detail: "gone" },
    ] as const;
    const app: AppStatus = { ...running, state: "FATAL", exitStatus: 2, detail: "1 of 2 RUNNING", processes };
    const text = engineReport({
      apps: [app],
      engineVersion: "9",
      engine,
      queue: undefined,
      nowMs: 61_000,
    });
    expect(JSON.parse(text).apps[0].meter.processes).toEqual([
      { name: "w0", status: "RUNNING", uptime: "0:01:00", exitstatus: 0 },
      { name: "w1", status: "FATAL", uptime: "", exitstatus: 2, restarts: 4, detail: "gone" },
    ]);
  });

  it.each([
    [0, "0:00:00"],
    [-5, "0:00:00"],
    [86_399_999, "23:59:59"],
    [2 * 86_400_000, "2 days, 0:00:00"],
  ])("prints %i ms as %s", (ms, text) => expect(formatUptime(ms)).toBe(text));
});
