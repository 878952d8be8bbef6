import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import type { AppStatus } from "../../../src/core/app-status.ts";
import { formatEngineMetrics } from "../../../src/telemetry/index.ts";
import { accumulateTraffic } from "../../../src/telemetry/usage/accumulate.ts";
import { noUsage } from "../../../src/telemetry/usage/usage-state.ts";

const moment = { bootId: "a", sinceBootMs: 0, nowMs: 0, isTimeKnown: true };

const app: AppStatus = {
  name: "meter",
  version: "1.2.3",
  kind: "long-running",
  state: "RUNNING",
  sinceMs: 1_000,
  pid: 42,
  startedAtMs: 1_500,
  restarts: 2,
  exitStatus: 3,
  health: "failing",
};

const input = {
  engineVersion: "9.9",
  nodeVersion: "24.0.0",
  apps: [app, { ...app, name: "lib", kind: "library" as const }],
  checkIns: { succeeded: 7, failed: 1 },
  lastCheckInMs: 12_000,
  waitingResults: 1,
  process: { startedAtMs: 1_000, cpuMs: 250, residentBytes: 5e7, diskWrittenBytes: 4096 },
  budgets: [
    {
      budget: {
        interfaces: "ppp*",
        dailyBytes: 50,
        monthlyBytes: undefined,
        warningPercent: 80,
        resetDay: 1,
        action: "report",
      },
      spent: { day: { startMs: 0, bytes: 45 }, month: { startMs: 0, bytes: 99 } },
      level: "warning",
    },
  ] as const,
  usage: accumulateTraffic(noUsage, { interface: "ppp0", consumer: 'M/"1"', rx: 5, tx: 6, ...moment }),
};

it("tells Prometheus of engine, apps and traffic in its own terms", () => {
  const text = formatEngineMetrics(input);
  const lines = text.split("\n").filter((line) => !line.startsWith("#"));
  expect(lines).toEqual(
    expect.arrayContaining([
      'gwe_check_ins_total{result="failed"} 1',
      "gwe_last_check_in_timestamp_seconds 12",
      'gwe_app_info{app="lib",version="1.2.3",kind="library"} 1',
      'gwe_app_up{app="meter"} 1',
      'gwe_app_state{app="meter",state="RUNNING"} 1',
      'gwe_app_restarts_total{app="meter"} 2',
      'gwe_app_start_time_seconds{app="meter"} 1.5',
      'gwe_app_last_exit_status{app="meter"} 3',
      'gwe_app_healthy{app="meter"} 0',
      'gwe_consumer_transmit_bytes_total{interface="ppp0",consumer="M/\\"1\\""} 6',
      'gwe_budget_level{interfaces="ppp*"} 1',
      'gwe_budget_used_bytes{interfaces="ppp*",period="month"} 99',
      'gwe_budget_limit_bytes{interfaces="ppp*",period="day"} 50',
      "process_cpu_seconds_total 0.25",
    ]),
  );
  expect(text).not.toContain('gwe_app_up{app="lib"}');
});

it("is what Prometheus takes, also where much is not known", () => {
  const unknown = {
    ...input,
    apps: [],
    lastCheckInMs: undefined,
    process: { ...input.process, diskWrittenBytes: undefined },
    usage: noUsage,
    budgets: [],
  };
  for (const one of [input, unknown]) {
    const verdict = spawnSync("promtool", ["check", "metrics"], {
      input: formatEngineMetrics(one),
      encoding: "utf8",
    });
    expect(verdict).toMatchObject({ status: 0, stderr: "" });
  }
});
