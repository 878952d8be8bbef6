import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { processStartTicks } from "../../../src/platform/process-table.ts";
import type { Supervisor } from "../../../src/supervisor/index.ts";
import { Gateway, statusOf, until, untilState } from "./harness.ts";

const bundle = join(import.meta.dirname, "../../../dist/logd.js");
let gateway: Gateway;
let supervisor: Supervisor;

beforeEach(async () => {
  gateway = new Gateway();
  supervisor = gateway.engine();
  await supervisor.start();
});

afterEach(() => gateway.dispose());

function logDaemonPid(): number {
  return Number(readFileSync(gateway.path("run", "logd", "process"), "utf8").split(":")[0]);
}

/** A program that counts lines until it is told to stop, and says so. */
const counter = `n=0; trap 'echo "stopped at $n"; exit 0' TERM; while :; do echo $n; n=$((n+1)); sleep 0.01; done`;

function numbers(name: string): readonly number[] {
  return gateway
    .log(name)
    .split("\n")
    .filter((line) => /^\d+$/.test(line))
    .map(Number);
}

test("both streams, also opened anew by an app that is not root, are whole when its end is told", async () => {
  const script = `i=0; while [ $i -lt 2000 ]; do echo "out $i"; i=$((i+1)); done
    echo "by name" >/dev/stderr; echo "last" >&2; exit 3`;
  const conf = [
    "command=./run.sh",
    "startretries=0",
    "user=nobody",
    "redirect_stderr=false",
    "stderr_logfile=AUTO",
    "stdout_logfile_maxbytes=10KB",
    "stdout_logfile_backups=10",
  ];
  const app = gateway.app("one", conf.join("\n"), script);
  await supervisor.deploy(app);
  const status = await untilState(supervisor, "one", "FATAL");
  expect(status).toMatchObject({
    exitStatus: 3,
    logFile: gateway.path("log", "one.log"),
    stderrLogFile: gateway.path("log", "one-stderr.log"),
  });
  expect(readFileSync(status.stderrLogFile ?? "", "utf8")).toBe("by name\nlast\n");
  const files = ["one.log.2", "one.log.1", "one.log"].map((name) => gateway.path("log", name));
  const lines = files.map((file) => (existsSync(file) ? readFileSync(file, "utf8") : "")).join("");
  expect(lines).toBe(Array.from({ length: 2000 }, (_, number) => `out ${number}\n`).join(""));
  expect(statSync(status.logFile ?? "").mode & 0o777).toBe(0o644);
});

test("a log that can't be opened keeps the app from starting, and says so", async () => {
  await supervisor.deploy(
    gateway.app("one", "command=./run.sh\nstartretries=0\nstdout_logfile=/nowhere/x.log", counter),
  );
  expect(await untilState(supervisor, "one", "FATAL")).toMatchObject({
    detail: "couldn't open /nowhere/x.log",
  });
});

test("apps run on, and lose nothing, while the log daemon is ended, or replaced by another engine's", async () => {
  await supervisor.deploy(gateway.app("one", "command=./run.sh\nstartsecs=0\nstopwaitsecs=5", counter));
  await until(() => numbers("one").length > 10);
  const { pid } = await statusOf(supervisor, "one");
  const first = logDaemonPid();
  process.kill(first, "SIGTERM");
  await until(() => logDaemonPid() !== first);
  const shown = numbers("one").length;
  await until(() => numbers("one").length > shown + 10);
  await supervisor.stop();
  const former = logDaemonPid();
  const other = gateway.path("other-logd.js");
  writeFileSync(other, `${readFileSync(bundle, "utf8")}\n// another\n`);
  const next = gateway.engine({ programFile: other });
  await next.start();
  await until(() => logDaemonPid() !== former && processStartTicks(former) === undefined);
  expect(await statusOf(next, "one")).toMatchObject({ pid, restarts: 0 });
  const before = numbers("one").length;
  await until(() => numbers("one").length > before + 10);
  await next.stopApp("one");
  const all = numbers("one");
  expect(all).toEqual(Array.from({ length: all.length }, (_, number) => number));
  expect(gateway.log("one")).toMatch(new RegExp(`\\nstopped at ${all.length}\\n$`));
  // What is gone leaves nothing behind.
  await next.withdraw("one");
  expect(readdirSync(gateway.path("run", "logd", "streams"))).toEqual([]);
  expect(readdirSync(gateway.path("run", "logd", "fifos"))).toEqual([]);
});

test("an app that ends while the log daemon is away has its last lines kept for the next", async () => {
  const go = gateway.path("go");
  const script = `echo begun; while [ ! -e ${go} ]; do sleep 0.02; done; echo "last words"; exit 0`;
  const conf = "command=./run.sh\nautorestart=false\nstartsecs=0";
  await supervisor.deploy(gateway.app("one", conf, script));
  await until(() => gateway.log("one") !== "");
  const pid = logDaemonPid();
  process.kill(pid, "SIGSTOP");
  writeFileSync(go, "");
  await untilState(supervisor, "one", "EXITED");
  expect(gateway.log("one")).toBe("begun\n");
  process.kill(pid, "SIGKILL");
  await until(() => gateway.log("one") === "begun\nlast words\n");
});
