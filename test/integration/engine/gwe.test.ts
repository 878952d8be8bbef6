import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { EngineStatus } from "../../../src/core/control-api.ts";
import { eventually } from "../../support/eventually.ts";
import { packageTarball } from "../../support/package-tarball.ts";
import { Gateway } from "./gateway.ts";
import { aliveOf, longRunning, oneOff, runsOf } from "./packages.ts";

let gateway: Gateway;

beforeAll(async () => {
  gateway = await Gateway.running();
  await gateway.upload("meter.v1.tar.gz", longRunning(gateway.engine, "meter", "1"));
  await gateway.install("meter.v1.tar.gz");
});

afterAll(() => gateway?.[Symbol.asyncDispose]());

/** Tests may leave the engine stopped or meter stopped. */
beforeEach(async () => {
  if (!gateway.engine.isRunning) await gateway.start();
  await gateway.gwe("start", "meter");
});

async function tarball(name: string, script: string): Promise<string> {
  const file = join(gateway.engine.home, name);
  writeFileSync(file, await packageTarball(oneOff(script)));
  return file;
}

test("status tells a person and a program how things stand", async () => {
  const { engine } = gateway;
  const meter = await engine.running("meter", "1");
  const { stdout, status } = await gateway.gwe("status", "--json");
  expect(status).toBe(0);
  expect(JSON.parse(stdout) as EngineStatus).toMatchObject({
    engine: { pid: engine.pid, home: engine.home },
    device: { activated: true, serial: "GW-0001", server: gateway.murano.url },
    checkIn: { mode: "interval", intervalS: 86_400, lastError: null },
    jobs: [],
    apps: [{ name: "meter", version: "1", state: "RUNNING", pid: meter.pid }],
  });
  const text = await gateway.gwe("status");
  expect(text.stdout).toMatch(/^Activated +yes$/m);
  expect(text.stdout).toMatch(new RegExp(`^meter +1 +RUNNING +\\S+ +\\d+ +${meter.pid}$`, "m"));
});

test("what bin/gwe sets for the engine's own process reaches no app", async () => {
  const { engine } = gateway;
  const ofEngine = readFileSync(`/proc/${engine.pid}/environ`, "latin1");
  expect(ofEngine).toContain("MALLOC_ARENA_MAX=1\0");
  const { pid } = await engine.running("meter", "1");
  expect(readFileSync(`/proc/${pid}/environ`, "latin1")).not.toMatch(/MALLOC_ARENA_MAX|GWE_OWN_VARIABLES/);
});

test("stop stops an app, through a restart of the engine, until start starts it", async () => {
  const { engine } = gateway;
  const { pid } = await engine.running("meter");
  expect(await gateway.gwe("stop", "meter")).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^meter: STOPPED/),
  });
  expect(aliveOf(engine, "meter")).toEqual([]);
  await engine.end("SIGTERM");
  await gateway.start();
  expect(await engine.app("meter")).toMatchObject({ state: "STOPPED" });
  expect(await gateway.reported("meter")).toMatchObject({ status: "STOPPED", version: "1" });
  expect(await gateway.gwe("start", "meter")).toMatchObject({ status: 0, stdout: "meter: RUNNING\n" });
  expect((await engine.running("meter")).pid).not.toBe(pid);
});

test("an update of an app that is stopped leaves it stopped, in its new version", async () => {
  const { engine } = gateway;
  await gateway.gwe("stop", "meter");
  await gateway.upload("meter.v2.tar.gz", longRunning(engine, "meter", "2"));
  expect(await gateway.install("meter.v2.tar.gz")).toMatchObject([
    { status: "installed", output: expect.stringContaining("gwe: installed; the app is wanted stopped\n") },
  ]);
  expect(aliveOf(engine, "meter")).toEqual([]);
  await gateway.gwe("start", "meter");
  await engine.running("meter", "2");
});

test("restart gives an app a new process", async () => {
  const { engine } = gateway;
  const { pid } = await engine.running("meter");
  expect(await gateway.gwe("restart", "meter")).toMatchObject({ status: 0, stdout: "meter: RUNNING\n" });
  const after = await engine.running("meter");
  expect(after.pid).not.toBe(pid);
  expect(aliveOf(engine, "meter")).toMatchObject([{ pid: after.pid }]);
});

test("what is not there is named", async () => {
  expect(await gateway.gwe("restart", "nobody")).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("nobody"),
  });
  expect(await gateway.gwe("logs", "nobody")).toMatchObject({
    status: 1,
    stderr: "gwe: there is no application 'nobody'; installed: meter\n",
  });
});

test("logs shows an app's output and the engine's own", async () => {
  const last = runsOf(gateway.engine, "meter").at(-1);
  const app = await gateway.gwe("logs", "meter", "-n", "1");
  expect(app.stdout).toContain(`begin ${last?.version} ${last?.pid} `);
  const own = await gateway.gwe("logs", "gwe", "-n", "1000");
  expect(own.stdout).toContain("a job moves on");
});

test("a second engine of the same home refuses, and the first runs on", async () => {
  const { engine } = gateway;
  const { pid } = engine;
  const second = await gateway.gwe();
  expect(second.status).toBe(1);
  expect(second.stderr).toMatch(/^gwe: an engine runs already .*gwe\.lock\): .gwe status. shows it$/m);
  expect(second.stderr.trim().split("\n")).toHaveLength(1);
  expect(engine.pid).toBe(pid);
  expect((await gateway.gwe("status")).status).toBe(0);
});

test("SIGTERM ends the engine at once, with its apps left running", async () => {
  const { engine } = gateway;
  const { pid } = await engine.running("meter");
  const before = performance.now();
  expect(await engine.end("SIGTERM")).toBe(0);
  expect(performance.now() - before).toBeLessThan(10_000);
  expect(aliveOf(engine, "meter")).toMatchObject([{ pid }]);
  expect(await gateway.gwe("status")).toMatchObject({
    status: 3,
    stderr: expect.stringContaining("the engine is not running"),
  });
  await gateway.start();
  expect(await engine.running("meter")).toMatchObject({ pid });
});

describe("gwe --install-apps", () => {
  test("has the running engine install", async () => {
    const good = await tarball("local.v1.tar.gz", "echo from a file");
    const installed = await gateway.gwe("--install-apps", good);
    expect(installed).toMatchObject({ status: 0, stdout: "from a file\nlocal 1: installed\n", stderr: "" });
    const bad = await tarball("local.v2.tar.gz", "echo no; exit 3");
    const failed = await gateway.gwe("--install-apps", bad);
    expect(failed.status).toBe(1);
    expect(failed.stdout).toContain("local 2: failed (exit status 3)\n");
    expect(await gateway.gwe("--install-apps", "/nowhere/x.v1.tar.gz")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("cannot read /nowhere/x.v1.tar.gz"),
    });
  });

  test("installs without one, and the next start knows of it", async () => {
    const { engine } = gateway;
    await engine.end("SIGTERM");
    const file = join(engine.home, "second.v1.tar.gz");
    writeFileSync(file, await packageTarball(longRunning(engine, "second", "1")));
    const installed = await gateway.gwe("--install-apps", file);
    expect(installed).toMatchObject({ status: 0, stdout: "installing second 1\nsecond 1: installed\n" });
    const [run] = aliveOf(engine, "second");
    await gateway.start();
    expect(await engine.running("second", "1")).toMatchObject({ pid: run?.pid });
    expect(await gateway.gwe("check-in")).toMatchObject({ status: 0 });
    await eventually("a report of it", async () => (await gateway.reported("second"))?.status === "RUNNING");
  });
});

test("gwe --once checks in, does what it is told, tells the result, and ends", async () => {
  const { engine } = gateway;
  await engine.end("SIGTERM");
  await gateway.upload("once.v1.tar.gz", oneOff(`echo once > ${join(engine.home, "once")}`));
  const id = await gateway.order("once.v1.tar.gz");
  expect(await gateway.gwe("--once")).toMatchObject({ status: 0 });
  expect(readFileSync(join(engine.home, "once"), "utf8")).toBe("once\n");
  expect((await gateway.result(id)).apps).toMatchObject([{ name: "once", status: "installed" }]);
  expect(await gateway.reported("meter")).toMatchObject({ status: "RUNNING" });
  await gateway.murano.goOffline();
  const offline = await gateway.gwe("--once");
  await gateway.murano.goOnline();
  expect(offline.status).toBe(1);
  expect(offline.stderr).toContain("ECONNREFUSED");
});

test("apps' scripts write to Murano with the gateway's CIK", async () => {
  const cik = (await gateway.gwe("--gateway-cik")).stdout;
  expect(cik).toBe(`${gateway.cik}\n`);
  const written = await gateway.command("gdc", "write", cik.trim(), "temperature", "21.5 °C & rising");
  expect(written).toMatchObject({ status: 0, stderr: "" });
  expect(await gateway.device.latest("temperature")).toBe("21.5 °C & rising");
  const read = await gateway.command("gdc", "read", cik.trim(), "temperature");
  expect(read.stdout).toContain("21.5 °C & rising");
});
