import { describe, expect, it } from "vitest";
import { formatDuration } from "../../../src/cli/duration.ts";
import { describeApp, describeStatus } from "../../../src/cli/status-text.ts";
import type { AppStatus } from "../../../src/core/app-status.ts";
import { engineStatus } from "../../support/control-server.ts";

describe("formatDuration", () => {
  it.each([
    [0, "0:00:00"],
    [-5, "0:00:00"],
    [3_771_000, "1:02:51"],
    [86_399_999, "23:59:59"],
    [86_400_000, "1 day, 0:00:00"],
    [200_000_000, "2 days, 7:33:20"],
  ])("%i ms is %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

const now = 1_800_000_000_000;
const app = (fields: Partial<AppStatus>): AppStatus => ({
  name: "meter",
  version: "1.2.3",
  kind: "long-running",
  state: "RUNNING",
  sinceMs: now,
  restarts: 0,
  ...fields,
});

describe("describeStatus", () => {
  it("shows engine, activation, check-in, jobs and apps", () => {
    const text = describeStatus(
      engineStatus({
        nowMs: now,
        jobs: [
          { app: "meter", version: "2", state: "download", receivedBytes: 524_288, totalBytes: 20_971_520 },
        ],
        apps: [
          app({ pid: 42, startedAtMs: now - 3_771_000 }),
          app({ name: "flaky", state: "FATAL", restarts: 3, detail: "exited too quickly" }),
          app({ name: "crashed", state: "EXITED", signal: "SIGSEGV" }),
          app({ name: "reboot-it", kind: "one-off", state: "EXITED" }),
        ],
      }),
      now,
    );
    expect(text).toBe(`Engine      0.1.0, pid 4711, up 2 days, 7:33:20
Server      https://abc.m2.exosite.io
Product     abc
Serial      FF:10:C2:9B:A8:46
Activated   yes
Check-in    every 4:00:00, last 0:03:12 ago, next in 3:56:48
Clock       right, says the system
Last error  connect ECONNREFUSED
Reports     2 waiting for the next check-in

INSTALLING  VERSION  STEP      PROGRESS
meter       2        download  2 % of 20.0 MiB

APP        VERSION  STATE    UPTIME   RESTARTS  PID  NOTE
meter      1.2.3    RUNNING  1:02:51  0         42
flaky      1.2.3    FATAL    -        3         -    exited too quickly
crashed    1.2.3    EXITED   -        0         -    killed by SIGSEGV
reboot-it  1.2.3    one-off  -        -         -
`);
  });

  it.each([
    [null, null, "not trusted: nobody has told the time yet"],
    ["murano", 900, "right, says Murano"],
    ["assumed", 0, "taken for right: nobody says otherwise"],
    ["murano", -7_200_000, "the system's is 2:00:00 behind (Murano): the engine goes by the true time"],
  ])("says whether the clock is trusted, and by whom: %s, off by %s", (trustedBy, wallErrorMs, text) => {
    const status = { ...engineStatus({ nowMs: now }), clock: { nowMs: now, trustedBy, wallErrorMs } };
    expect(describeStatus(status, now)).toContain(`\nClock       ${text}\n`);
  });

  it("does not let an app's text steer the terminal", () => {
    const text = describeStatus(
      engineStatus({ nowMs: now, apps: [app({ state: "FATAL", detail: "\u001b[2Jgone\nAPP" })] }),
      now,
    );
    expect(text).toContain("\ufffd[2Jgone APP\n");
    expect(describeApp(app({ state: "FATAL", detail: "\u001b]0;x\u0007" }))).not.toContain("\u001b");
  });
});
