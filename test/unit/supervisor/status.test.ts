import { describe, expect, test } from "vitest";
import type { AppState, ProcessStatus } from "../../../src/core/app-status.ts";
import { groupStatus } from "../../../src/supervisor/group-status.ts";
import { parseLauncherState } from "../../../src/supervisor/launcher/state-file.ts";
import { deriveStatus, type StatusFacts } from "../../../src/supervisor/status.ts";

const boot = "0b7c5b3e-6a0f-4a6b-9a57-000000000001";
const noted = {
  boot,
  generation: "4",
  state: "STARTING",
  since: "10000",
  launcher: `50:900:${boot}`,
  startsecs: "5",
  stopsignal: "TERM",
  stopwaitsecs: "10",
  child: `51:901:${boot}`,
  started: "10000",
  ended: "",
  exit: "",
  signal: "",
  failures: "0",
  restarts: "2",
  final: "",
  detail: "",
};

function state(overrides: Partial<typeof noted> = {}) {
  const lines = Object.entries({ ...noted, ...overrides }).map(([key, value]) => `${key}=${value}\n`);
  return parseLauncherState(lines.join(""));
}

function facts(overrides: Partial<StatusFacts> = {}): StatusFacts {
  return {
    app: {
      name: "meter",
      version: "1.2",
      kind: "long-running",
      directory: "/apps/meter",
      wanted: "running",
      generation: 4,
      installedAtMs: 1_000,
      wantedSinceMs: 2_000,
      processes: [],
      stoppedProcesses: [],
    },
    name: "meter",
    state: state(),
    launcherAlive: true,
    childAlive: true,
    pm2Up: true,
    problem: undefined,
    logFiles: { logFile: "/var/log/meter.log" },
    nowMs: 1_000_000,
    uptimeCs: 10_100,
    ...overrides,
  };
}

const dead = { launcherAlive: false, childAlive: false };
const stopped = { ...facts().app, wanted: "stopped" as const, generation: 5 };

describe("state", () => {
  test.each<[string, Partial<StatusFacts>, object]>([
    [
      "STOPPING while an earlier deployment still runs: it is not the wanted one's RUNNING",
      { app: { ...facts().app, generation: 5 }, uptimeCs: 10_600 },
      { state: "STOPPING", pid: 51 },
    ],
    [
      "STARTING when an earlier deployment has been stopped and the wanted one comes next",
      { app: { ...facts().app, generation: 5 }, state: state({ state: "STOPPED" }), childAlive: false },
      { state: "STARTING", sinceMs: 2_000 },
    ],
    [
      "STARTING until startsecs have passed",
      {},
      { state: "STARTING", pid: 51, startedAtMs: 999_000, sinceMs: 999_000, restarts: 2 },
    ],
    [
      "RUNNING from then on",
      { uptimeCs: 10_600 },
      { state: "RUNNING", pid: 51, startedAtMs: 994_000, sinceMs: 999_000 },
    ],
    ["RUNNING at once with startsecs=0", { state: state({ startsecs: "0" }) }, { state: "RUNNING" }],
    [
      "BACKOFF while a launcher waits",
      { state: state({ state: "BACKOFF", exit: "3", detail: "no such file" }), childAlive: false },
      { state: "BACKOFF", exitStatus: 3, detail: "no such file" },
    ],
    ["BACKOFF between two launchers", { ...dead, state: state({ state: "BACKOFF" }) }, { state: "BACKOFF" }],
    [
      "STOPPING while it is waited for",
      { state: state({ state: "STOPPING" }) },
      { state: "STOPPING", pid: 51 },
    ],
    [
      "EXITED when it ended as it should",
      { ...dead, state: state({ state: "EXITED", final: "1", exit: "0" }) },
      { state: "EXITED", exitStatus: 0, sinceMs: 999_000 },
    ],
    [
      "FATAL when it gave up",
      { ...dead, state: state({ state: "FATAL", final: "1", signal: "11" }) },
      { state: "FATAL", signal: "SIGSEGV" },
    ],
    [
      "FATAL when its file can't be read",
      { ...dead, state: undefined, problem: { detail: "line 3", sinceMs: 7 } },
      { state: "FATAL", detail: "line 3", sinceMs: 7 },
    ],
    [
      "STOPPED when it is wanted so",
      { ...dead, app: stopped, state: state({ state: "STOPPED", signal: "15" }) },
      { state: "STOPPED", signal: "SIGTERM", sinceMs: 999_000, restarts: 0 },
    ],
    [
      "STOPPED after a reboot",
      { ...dead, app: stopped, state: undefined },
      { state: "STOPPED", sinceMs: 2_000 },
    ],
    [
      "STARTING when a start was just asked for",
      { ...dead, state: state({ generation: "3" }) },
      { state: "STARTING", sinceMs: 2_000 },
    ],
    [
      "UNKNOWN when it is down with pm2",
      { ...dead, pm2Up: false },
      { state: "UNKNOWN", detail: "does not run; it is about to be started again" },
    ],
    [
      "UNKNOWN when nothing was ever noted and pm2 is down",
      { ...dead, pm2Up: false, state: undefined },
      { state: "UNKNOWN" },
    ],
    ["RUNNING though pm2's daemon is stopped", { uptimeCs: 10_600, pm2Up: false }, { state: "RUNNING" }],
  ])("%s", (_, overrides, expected) => {
    expect(deriveStatus(facts(overrides))).toMatchObject({ name: "meter", ...expected });
  });

  test("EXITED for a moment, when it is about to be started again", () => {
    const between = { ...dead, state: state({ state: "EXITED", exit: "1" }) };
    expect(deriveStatus(facts(between))).toMatchObject({ state: "EXITED", restarting: true });
    const over = { ...dead, state: state({ state: "EXITED", final: "1", exit: "1" }) };
    expect(deriveStatus(facts(over))).not.toHaveProperty("restarting");
  });

  test("no process is shown that isn't there", () => {
    const status = deriveStatus(facts({ ...dead, state: state({ state: "FATAL", final: "1" }) }));
    expect(status).not.toHaveProperty("pid");
    expect(status).not.toHaveProperty("startedAtMs");
  });
});

test.each(["", "garbage", "state=STARTING", "boot=x\nstate=ODD"])("%j is no launcher's note", (text) => {
  expect(parseLauncherState(text)).toBeUndefined();
});

describe("an app of several processes", () => {
  const process = (name: string, state: AppState, more: Partial<ProcessStatus> = {}): ProcessStatus => ({
    name,
    state,
    sinceMs: 5,
    restarts: 1,
    ...more,
  });

  test("is RUNNING when all are, for as long as all have been", () => {
    const all = [
      process("a", "RUNNING", { pid: 1, startedAtMs: 10 }),
      process("b", "RUNNING", { pid: 2, startedAtMs: 30 }),
    ] as const;
    expect(groupStatus("meter", all)).toEqual({
      name: "meter",
      state: "RUNNING",
      sinceMs: 5,
      pid: 1,
      startedAtMs: 30,
      restarts: 2,
    });
  });

  test.each<[AppState, readonly (AppState | "restarting")[]]>([
    ["FATAL", ["RUNNING", "FATAL", "BACKOFF"]],
    ["BACKOFF", ["RUNNING", "STARTING", "BACKOFF"]],
    ["STARTING", ["RUNNING", "STARTING"]],
    ["RUNNING", ["EXITED", "RUNNING", "STOPPED"]],
    ["EXITED", ["RUNNING", "restarting"]],
    ["EXITED", ["EXITED", "STOPPED"]],
  ])("is %s when its processes are %j", (worst, states) => {
    const [first, ...others] = states.map((state, index) =>
      state === "restarting"
        ? process(`p${index}`, "EXITED", { restarting: true })
        : process(`p${index}`, state),
    );
    expect(groupStatus("meter", [first ?? expect.fail("none"), ...others]).state).toBe(worst);
  });

  test("says which process is worst off, and why", () => {
    const all = [process("a", "RUNNING"), process("b", "FATAL", { detail: "no such file" })] as const;
    expect(groupStatus("meter", all).detail).toBe("1 of 2 RUNNING; b: no such file");
  });
});
