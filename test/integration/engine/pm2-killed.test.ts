import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { processStartTicks } from "../../../src/platform/process-table.ts";
import { eventually } from "../../support/engine-process.ts";
import { Gateway } from "./gateway.ts";
import { type AppRun, aliveOf, longRunning, runsOf } from "./packages.ts";

const apps = ["one", "two", "three"];
let gateway: Gateway;

beforeAll(async () => {
  gateway = await Gateway.running();
  for (const name of apps) await gateway.upload(`${name}.v1.tar.gz`, longRunning(gateway.engine, name, "1"));
  await gateway.install(...apps.map((name) => `${name}.v1.tar.gz`));
  for (const name of apps) await gateway.engine.running(name);
});

afterAll(() => gateway?.[Symbol.asyncDispose]());

function uptimeS(): number {
  return Number(readFileSync("/proc/uptime", "latin1").split(" ")[0]);
}

function killPm2(): void {
  const pid = gateway.engine.pm2Pid();
  if (pid === undefined) throw new TypeError("pm2's daemon does not run");
  process.kill(pid, "SIGKILL");
}

/** Each app's one living run, when it has begun after the others. */
function newRuns(old: readonly AppRun[]): Promise<readonly AppRun[]> {
  return eventually("every app to run again", async () => {
    const now = apps.flatMap((name) => aliveOf(gateway.engine, name));
    const isNew = now.length === apps.length && now.every(({ pid }) => old.every((run) => run.pid !== pid));
    const states = await Promise.all(apps.map(async (name) => (await gateway.engine.app(name))?.state));
    return isNew && states.every((state) => state === "RUNNING") ? now : undefined;
  });
}

function expectNoOrphans(old: readonly AppRun[], now: readonly AppRun[]): void {
  for (const { pid } of old) expect(processStartTicks(pid)).toBeUndefined();
  const sleeping = gateway.engine.processes().filter(({ command }) => command.startsWith("sleep 100000"));
  expect(sleeping.map(({ pid }) => pid).sort()).toEqual(now.map(({ pid }) => pid).sort());
  const launchers = gateway.engine
    .processes()
    .filter(({ command }) => / \S+\/run\/apps\/\w+ $/.test(command));
  // Each launcher is one process, or two while it waits for its app in a subshell.
  for (const name of apps) expect(launchers.some(({ command }) => command.endsWith(`/${name} `))).toBe(true);
}

test("kill -9 of pm2's daemon: each app runs again within 5 s, none twice, and no orphan is left", async () => {
  const old = apps.flatMap((name) => aliveOf(gateway.engine, name));
  const killedS = uptimeS();
  killPm2();
  const now = await newRuns(old);
  for (const { atS } of now) expect(atS - killedS).toBeLessThan(5);
  expectNoOrphans(old, now);
  for (const name of apps) expect(runsOf(gateway.engine, name)).toHaveLength(2);
});

test("kill -9 of the engine and pm2's daemon at once: the next start brings every app back, once", async () => {
  const { engine } = gateway;
  const old = apps.flatMap((name) => aliveOf(engine, name));
  const killed = engine.end("SIGKILL");
  killPm2();
  await killed;
  await gateway.start();
  const now = await newRuns(old);
  expectNoOrphans(old, now);
  for (const name of apps) expect(runsOf(engine, name)).toHaveLength(3);
  await gateway.checkIn();
  await eventually("a report of them", async () => (await gateway.reported("three"))?.status === "RUNNING");
});
