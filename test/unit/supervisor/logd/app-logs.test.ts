import { expect, test } from "vitest";
import { parseSupervisorConf } from "../../../../src/supervisor/index.ts";
import { type AppLogs, appLogs } from "../../../../src/supervisor/logd/app-logs.ts";
import { logdLayout } from "../../../../src/supervisor/logd/layout.ts";

function logs(lines: readonly string[], number = 0): AppLogs {
  const conf = parseSupervisorConf({
    text: ["[supervisord]", ...lines].join("\n"),
    appName: "meter",
    here: "/",
    logDir: "/var/log",
    hostName: "gw",
    environment: {},
  });
  const process = conf.processes[number] ?? conf.processes[0];
  const unit = `meter:${process.processName}`;
  return appLogs({
    conf,
    process,
    unit,
    appName: "meter",
    logDir: "/var/log",
    layout: logdLayout("/run/gwe"),
  });
}

const fifo = "/run/gwe/logd/fifos/meter:meter.stdout";

test("by default both streams go into one file of 200 KiB with one backup", () => {
  expect(logs([])).toEqual({
    stdout: { file: "/var/log/meter.log", created: "/var/log/meter.log", fifo },
    stderr: undefined,
    streams: [
      {
        fifo,
        file: "/var/log/meter.log",
        maxBytes: 204_800,
        backups: 1,
        syslog: null,
        fileIsFallback: false,
      },
    ],
  });
});

test("stderr has a log of its own where it is asked for, and none where not", () => {
  const own = logs(["redirect_stderr=false", "stdout_logfile=NONE", "stderr_logfile=x/err.log"]);
  expect(own.stdout).toEqual({ file: undefined, created: "/dev/null", fifo: "" });
  expect(own.stderr?.file).toBe("/var/log/x/err.log");
  expect(own.streams).toMatchObject([{ file: "/var/log/x/err.log", maxBytes: 52_428_800, backups: 10 }]);
  expect(logs(["redirect_stderr=false"]).stderr?.file).toBe("/var/log/meter-stderr.log");
  expect(logs(["stdout_logfile=/dev/null"]).streams).toEqual([]);
});

test("each of several processes has an AUTO log of its own", () => {
  const several = ["numprocs=2", "process_name=%(program_name)s_%(process_num)d", "stdout_logfile=AUTO"];
  expect([0, 1].map((number) => logs(several, number).stdout.file)).toEqual([
    "/var/log/meter-meter_0-stdout.log",
    "/var/log/meter-meter_1-stdout.log",
  ]);
});

test("syslog comes on top of a file, or in its place where there is a syslog", () => {
  expect(logs(["stdout_syslog=true"]).streams).toMatchObject([
    { file: "/var/log/meter.log", syslog: "meter", fileIsFallback: false },
  ]);
  const instead = logs(["stdout_logfile=syslog"]);
  expect(instead.stdout).toEqual({ file: "/var/log/meter-stdout.log", created: "", fifo });
  expect(instead.streams).toMatchObject([
    { file: "/var/log/meter-stdout.log", syslog: "meter", fileIsFallback: true },
  ]);
  const only = logs(["stdout_logfile=NONE", "stdout_syslog=true"]);
  expect(only.stdout).toEqual({ file: undefined, created: "", fifo });
  expect(only.streams).toMatchObject([{ file: null, syslog: "meter", fileIsFallback: false }]);
});
