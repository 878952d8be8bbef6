import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Supervisor } from "../../../src/supervisor/index.ts";
import { type CommandResult, runCommand, startCommand } from "../../support/run-command.ts";
import { controlOf } from "../supervisor/control.ts";
import { Gateway, until } from "../supervisor/harness.ts";

/** Beside the real supervisorctl: test/differential/supervisorctl.test.ts. */
let gateway: Gateway;
let supervisor: Supervisor;
let closeControl: () => Promise<void>;

beforeAll(async () => {
  gateway = new Gateway();
  supervisor = gateway.engine();
  await supervisor.start();
  closeControl = await controlOf(gateway, supervisor);
  await supervisor.deploy(
    gateway.app("meter", "command=/bin/sh -c 'echo up; exec sleep 1000'\nstartsecs=0\npriority=5"),
  );
  await supervisor.deploy(gateway.app("spare", "command=sleep 1000\nautostart=false"));
  await until(async () => (await run("status", "meter")).stdout.includes("RUNNING"));
});

afterAll(async () => {
  await closeControl();
  await gateway.dispose();
});

function run(...words: string[]): Promise<CommandResult> {
  return runCommand("supervisorctl", words, { home: gateway.root });
}

test("status, avail and pid in supervisorctl's columns, with the engine among the processes", async () => {
  const status = await run("status");
  expect(status.stdout.replace(/pid \d+, uptime \d:\d\d:\d\d/g, "pid P, uptime U")).toBe(
    [
      "gwe                              RUNNING   pid P, uptime U",
      "meter                            RUNNING   pid P, uptime U",
      "spare                            STOPPED   Not started",
      "",
    ].join("\n"),
  );
  expect(status.status).toBe(3);
  expect((await run("status", "meter")).status).toBe(0);
  expect(await run("status", "nosuch")).toMatchObject({
    stdout: "nosuch: ERROR (no such process)\n",
    status: 4,
  });
  expect((await run("avail")).stdout).toContain("meter                            in use    auto      5:5\n");
  expect(await run("pid", "spare")).toMatchObject({ stdout: "0\n", status: 7 });
});

test("restart gives the app another process", async () => {
  const { stdout: before } = await run("pid", "meter");
  expect(await run("restart", "meter")).toMatchObject({
    stdout: "meter: stopped\nmeter: started\n",
    status: 0,
  });
  expect((await run("pid", "meter")).stdout).not.toBe(before);
});

test("one process of several is stopped and started alone, and stays stopped over an engine's restart", async () => {
  await supervisor.deploy(
    gateway.app("web", "command=sleep 1000\nnumprocs=2\nprocess_name=web_%(process_num)d\nstartsecs=0"),
  );
  await until(async () => (await run("status", "web:*")).stdout.match(/RUNNING/g)?.length === 2);
  const { stdout: untouched } = await run("pid", "web:web_0");
  expect(await run("stop", "web:web_1")).toMatchObject({ stdout: "web:web_1: stopped\n", status: 0 });
  const states = /^web:web_0 +RUNNING .*\nweb:web_1 +STOPPED /;
  expect((await run("status", "web:*")).stdout).toMatch(states);
  await supervisor.stop();
  const next = gateway.engine();
  await next.start();
  await closeControl();
  supervisor = next;
  closeControl = await controlOf(gateway, supervisor);
  expect((await run("status", "web:*")).stdout).toMatch(states);
  expect(await run("start", "web:*")).toMatchObject({ stdout: "web:web_1: started\n", status: 0 });
  expect((await run("pid", "web:web_0")).stdout).toBe(untouched);
  await supervisor.withdraw("web");
});

test("what belongs to the engine is not for supervisorctl to stop", async () => {
  expect(await run("stop", "gwe")).toMatchObject({
    status: 1,
    stdout: expect.stringMatching(/^gwe: ERROR \(.*systemctl/),
  });
  expect(await run("shutdown")).toMatchObject({ status: 1, stdout: expect.stringContaining("systemctl") });
  expect(await run("remove", "meter")).toMatchObject({
    status: 1,
    stdout: expect.stringContaining("gwe remove meter"),
  });
});

test("supervisorctl's own options are accepted; unknown ones are not", async () => {
  const line = ["-c", "/etc/none.conf", "-s", "unix:///tmp/x.sock", "--username=u", "-pX", "version"];
  expect(await run(...line)).toMatchObject({ stdout: "0.1.0\n", status: 0 });
  expect(await run("--colour", "status")).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("--colour"),
  });
});

test("a changed supervisor.conf is told by reread and taken up by update", async () => {
  await supervisor.deploy(gateway.app("edited", "command=sleep 1000\nstartsecs=0"));
  await until(async () => (await run("status", "edited")).stdout.includes("RUNNING"));
  const { stdout: before } = await run("pid", "edited");
  const file = gateway.path("apps/edited.v1/supervisor.conf");
  writeFileSync(file, "# a comment\n[supervisord]\nstartsecs=0\ncommand=sleep 1000\n");
  expect(await run("reread")).toMatchObject({ stdout: "No config updates to processes\n", status: 0 });
  writeFileSync(file, "[supervisord]\ncommand=sleep 2000\nstartsecs=0\n");
  expect(await run("reread")).toMatchObject({ stdout: "edited: changed\n", status: 0 });
  expect(await run("update")).toMatchObject({
    stdout: "edited: stopped\nedited: updated process group\n",
    status: 0,
  });
  expect(await run("reread")).toMatchObject({ stdout: "No config updates to processes\n" });
  await until(async () => (await run("status", "edited")).stdout.includes("RUNNING"));
  const { stdout: after } = await run("pid", "edited");
  expect(after).not.toBe(before);
  expect(readFileSync(`/proc/${after.trim()}/cmdline`, "latin1")).toBe("sleep\x002000\0");
  writeFileSync(file, "[supervisord]\ncommand=sleep 2000\nstartsecs=soon\n");
  expect(await run("reread")).toMatchObject({
    stdout: expect.stringMatching(/^ERROR: CANT_REREAD: .*startsecs="soon"/),
    status: 1,
  });
  await supervisor.withdraw("edited");
});

test("tail -f shows the end of a log and what comes, over a rotation", async () => {
  const log = gateway.path("log/spare.log");
  writeFileSync(log, `${"x".repeat(2000)}\nfirst\n`);
  const child = startCommand("supervisorctl", ["tail", "-f", "spare"], { home: gateway.root });
  let shown = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    shown += chunk;
  });
  try {
    await until(() => shown.includes("first\n"));
    expect(shown).toMatch(/^==> Press Ctrl-C to exit <==\nx{1017}\nfirst\n$/);
    renameSync(log, `${log}.1`);
    writeFileSync(log, "second\n");
    await until(() => shown.includes("second\n"));
  } finally {
    child.kill("SIGKILL");
  }
  expect(await run("tail", "-7", "spare")).toMatchObject({ stdout: "second\n\n", status: 0 });
});

test("without an engine the run directory tells the states; nothing else can be done", async () => {
  const { stdout: pid } = await run("pid", "meter");
  await closeControl();
  const status = await run("status");
  expect(status.stdout).toMatch(
    new RegExp(`^gwe +STOPPED +Not started\nmeter +RUNNING +pid ${pid.trim()}, uptime .*\nspare +STOPPED`),
  );
  expect(status).toMatchObject({ status: 3, stderr: expect.stringContaining("the engine is not running") });
  const told = await runCommand("gwe", ["status"], { home: gateway.root });
  expect(told.stdout).toMatch(
    /^APP +VERSION +STATE +UPTIME .*\nmeter +\S+ +RUNNING +\S+ +\d+ +\d+\nspare +\S+ +STOPPED/,
  );
  expect(told).toMatchObject({ status: 3, stderr: expect.stringContaining("the engine is not running") });
  const asJson = await runCommand("gwe", ["status", "--json"], { home: gateway.root });
  expect(asJson).toMatchObject({ stdout: "", status: 3 });
  expect(await run("restart", "meter")).toMatchObject({
    status: 7,
    stdout: expect.stringContaining(`unix://${gateway.path("run/gwe.sock")} no such file\n`),
    stderr: expect.stringContaining("systemctl start gateway-engine"),
  });
  closeControl = await controlOf(gateway, supervisor);
});
