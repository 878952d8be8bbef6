import { spawnSync } from "node:child_process";
import { closeSync, openSync, readdirSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished } from "vitest";
import { startTestEmulator } from "../../support/emulator.ts";
import { type EngineHomeOptions, EngineProcess } from "../../support/engine-process.ts";
import { eventually, patienceMs } from "../../support/eventually.ts";
import { packageTarball } from "../../support/package-tarball.ts";

const gwe = join(import.meta.dirname, "../../../bin/gwe");

async function gateway(overrides: Partial<EngineHomeOptions> = {}) {
  const murano = await startTestEmulator();
  const device = await murano.addSerial("product", "GW-1", { enable: true });
  const engine = new EngineProcess({
    serverUrl: murano.url,
    product: "product",
    serial: "GW-1",
    ...overrides,
  });
  onTestFinished(async () => {
    await engine[Symbol.asyncDispose]();
    await murano[Symbol.asyncDispose]();
  });
  return { murano, device, engine };
}

function overwritePage(file: string, page: number): void {
  const fd = openSync(file, "r+");
  writeSync(fd, Buffer.alloc(4096), 0, 4096, 4096 * (page - 1));
  closeSync(fd);
}

describe("an engine whose database is damaged while it is down", () => {
  it("keeps its apps, also those that the damage took from the registry, and tells Murano", async () => {
    const { device, engine } = await gateway();
    engine.start();
    const tarball = join(engine.home, "beat.v1.tar.gz");
    writeFileSync(
      tarball,
      await packageTarball({
        "install.sh": { content: "#!/bin/sh\n", mode: 0o755 },
        "supervisor.conf": { content: "[program:beat]\ncommand=sleep 1000\nstartsecs=0\n" },
      }),
    );
    await eventually("the engine", () => engine.status());
    const installed = spawnSync(gwe, ["--install-apps", tarball], {
      env: engine.environment,
      encoding: "utf8",
    });
    expect(installed.stdout).toContain("beat 1: installed");
    const before = await engine.running("beat");
    await engine.end("SIGTERM");

    const db = new Database(engine.paths.gatewayDb);
    const registry = db
      .prepare<[], number>("SELECT rootpage FROM sqlite_schema WHERE name = 'supervised_apps'")
      .pluck()
      .get();
    db.close();
    overwritePage(engine.paths.gatewayDb, 1);
    engine.start();
    expect((await engine.running("beat")).pid).toBe(before.pid);
    await eventually("the report", async () =>
      (await device.history("fetch_status")).some(([, value]) => value.includes("was damaged")),
    );
    await engine.end("SIGKILL");

    // Opened and closed, its log is in the file, where the damage is to lie.
    new Database(engine.paths.gatewayDb).exec("PRAGMA wal_checkpoint(TRUNCATE)").close();
    overwritePage(engine.paths.gatewayDb, registry ?? 0);
    engine.start();
    expect((await engine.running("beat")).pid).toBe(before.pid);
    await eventually("the report", async () =>
      (await device.history("fetch_status")).some(([, value]) =>
        value.includes("apps known from a copy: beat 1"),
      ),
    );
    const setAside = readdirSync(engine.paths.libDir).filter((name) => /\.corrupt-\d+$/.test(name));
    expect(setAside).toHaveLength(2);
  });
});

describe("the end of an engine", () => {
  it("is status 0 at SIGTERM; a second engine is told that one runs", async () => {
    const { engine } = await gateway();
    engine.start();
    await eventually("the engine", () => engine.status());
    const second = spawnSync(gwe, [], { env: engine.environment, encoding: "utf8" });
    expect(second.status).toBe(1);
    expect(second.stderr).toContain("an engine runs already");
    expect(await engine.end("SIGTERM")).toBe(0);
    expect(statSync(engine.paths.controlSocket, { throwIfNoEntry: false })).toBeUndefined();
    expect(statSync(engine.paths.gatewayDb).mode & 0o077).toBe(0);
    expect(statSync(engine.paths.engineLog).mode & 0o007).toBe(0);
  });

  it("comes at once when it is asked for during the start", async () => {
    const { engine } = await gateway();
    engine.start();
    await eventually(
      "the first line",
      () => statSync(engine.paths.controlSocket, { throwIfNoEntry: false }) !== undefined,
    );
    const from = performance.now();
    expect(await engine.end("SIGTERM")).toBe(0);
    expect(performance.now() - from).toBeLessThan(patienceMs);
  });

  it("tells with --once whether Murano was reached", async () => {
    const { murano, engine } = await gateway();
    const once = () => spawnSync(gwe, ["--once"], { env: engine.environment, encoding: "utf8" });
    await murano[Symbol.asyncDispose]();
    const failed = once();
    expect(failed.status).toBe(1);
    expect(failed.stderr).toContain("check-in failed");
  });
});
