import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLogger } from "../../../src/core/logger.ts";
import { pathsUnder } from "../../../src/core/paths.ts";
import { supervisorSystem as system } from "../../../src/daemon/platform-ports.ts";
import { systemClock } from "../../../src/platform/system-clock.ts";
import { Pm2Adapter } from "../../../src/supervisor/index.ts";

const gwe = join(import.meta.dirname, "../../../bin/gwe");

let home: string;
let units: ChildProcess[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "gwe-unit-"));
  units = [];
});

afterEach(async () => {
  for (const unit of units) {
    if (unit.exitCode !== null || unit.signalCode !== null) continue;
    unit.kill("SIGKILL");
    await once(unit, "exit");
  }
  rmSync(home, { recursive: true, force: true });
});

/** What the unit's ExecStart does. */
function startUnit(): ChildProcess {
  const unit = spawn(gwe, ["pm2-daemon"], { env: { ...process.env, GWE_HOME: home }, stdio: "ignore" });
  units.push(unit);
  return unit;
}

function adapter(daemonOwner: "engine" | "systemd"): Pm2Adapter {
  return new Pm2Adapter({
    home: pathsUnder(home).pm2Home,
    daemonFile: createRequire(import.meta.url).resolve("pm2/lib/Daemon.js"),
    nodeFile: process.execPath,
    environment: { PATH: process.env.PATH ?? "/usr/bin:/bin" },
    daemonOwner,
    system,
    clock: systemClock,
    logger: silentLogger,
  });
}

function recordedPid(): number {
  const record = readFileSync(join(pathsUnder(home).pm2Home, "daemon.json"), "utf8");
  return (JSON.parse(record) as { readonly pid: number }).pid;
}

test("the unit's own process becomes pm2's daemon, as the engine would have started it", async () => {
  const unit = startUnit();
  const engine = adapter("systemd");
  await engine.ensureUp();
  expect(await engine.list()).toEqual([]);
  engine.close();
  expect(recordedPid()).toBe(unit.pid);
  const environment = readFileSync(`/proc/${unit.pid}/environ`, "latin1").split("\0");
  expect(environment).toEqual(
    expect.arrayContaining([`PM2_HOME=${pathsUnder(home).pm2Home}`, "PM2_WORKER_INTERVAL=1800000000"]),
  );
  unit.kill("SIGTERM");
  expect(await once(unit, "exit")).toEqual([0, null]);
});

test("a daemon that an engine started before there was a unit makes way", async () => {
  const before = adapter("engine");
  mkdirSync(pathsUnder(home).libDir, { recursive: true });
  await before.ensureUp();
  const former = recordedPid();
  const down = new Promise<void>((resolve) => before.onDown(resolve));
  const unit = startUnit();
  await down;
  const engine = adapter("systemd");
  await engine.ensureUp();
  engine.close();
  before.close();
  expect(recordedPid()).toBe(unit.pid);
  expect(existsSync(`/proc/${former}/exe`)).toBe(false);
});
