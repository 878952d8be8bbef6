import { chmodSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { Examination } from "../../../src/cli/doctor/doctor.ts";
import { runDoctor } from "../../../src/cli/gwe-doctor.ts";
import { callCommand } from "../../support/command-in-process.ts";
import { controlServer, engineStatus } from "../../support/control-server.ts";
import { startTestEmulator, type TestEmulator } from "../../support/emulator.ts";
import { type GweHome, gweHome } from "../../support/gwe-home.ts";
import { runCommand } from "../../support/run-command.ts";

const product = "doctorpid";
let emulator: TestEmulator;
beforeAll(async () => {
  emulator = await startTestEmulator();
  return () => emulator.close();
});

async function activatedHome(serial: string): Promise<GweHome> {
  const home = gweHome();
  onTestFinished(() => home[Symbol.dispose]());
  const { cik } = await emulator.addActivated(product, serial);
  home.gatewayCfg(
    `[device]\nvendor = ${product}\nmodel = ${product}\nuuid = ${serial}\ncik = ${cik}\nserver_url = ${emulator.url}\n`,
  );
  return home;
}

async function examine(
  home: GweHome,
): Promise<{ status: number | null; found: (area: string) => string[]; text: string }> {
  const { status, stdout, stderr } = await callCommand(runDoctor, ["--json"], home.paths);
  expect(stderr).toBe("");
  const { findings } = JSON.parse(stdout) as Examination;
  return {
    status,
    text: stdout,
    found: (area) =>
      findings.filter((finding) => finding.area === area).map(({ level, text }) => `${level}: ${text}`),
  };
}

describe("gwe doctor", () => {
  it("finds a connected gateway whose engine is down, and shows no CIK", async () => {
    const home = await activatedHome("well");
    const { status, found, text } = await examine(home);
    expect(status).toBe(1);
    expect(found("murano")).toEqual([
      "ok: Murano knows this gateway",
      "ok: the product has all of the engine's aliases",
    ]);
    expect(found("clock")).toContain("ok: this gateway's clock agrees with Murano's");
    expect(found("engine")).toEqual(["fault: the engine is not running"]);
    expect(text).not.toMatch(/[0-9A-Za-z]{40}/);
  });

  it("finds aliases that the product lacks: Murano drops what is written there without a word", async () => {
    const home = await activatedHome("poor");
    await emulator.device(product, "poor").rpc("drop", [{ alias: "fetch_status" }]);
    expect((await examine(home)).found("murano")).toContainEqual(
      expect.stringMatching(/^fault: the product lacks fetch_status/),
    );
  });

  it("finds a CIK that Murano does not accept any more", async () => {
    const home = await activatedHome("voided");
    await emulator.device(product, "voided").enable();
    expect((await examine(home)).found("murano")).toEqual([expect.stringMatching(/^fault: .*401/)]);
  });

  it("finds secrets that everybody may read, and mends nothing itself", async () => {
    const home = await activatedHome("open");
    chmodSync(home.paths.gatewayCfg, 0o644);
    expect((await examine(home)).found("permissions")).toEqual([
      expect.stringMatching(/Gateway\.cfg holds secrets and has mode 0644/),
    ]);
  });

  it("finds who has the queue's port", async () => {
    const home = await activatedHome("taken");
    const server = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { readonly port: number };
    writeFileSync(home.paths.gmqCfg, `[http]\nport = ${port}\n`);
    expect((await examine(home)).found("ports")).toEqual([
      `fault: the queue's port ${port} is taken by ${await ownName()} (pid ${process.pid})`,
    ]);
  });

  it("tells all that is wrong with the configuration, and goes on with the rest", async () => {
    const home = await activatedHome("crooked");
    home.engineConfig("[engine]\nupdate_interval = never\ncheck_in = sometimes\n");
    const { found } = await examine(home);
    expect(found("configuration")[0]).toMatch(/update_interval.*check_in/s);
    expect(found("disk").length).toBeGreaterThan(0);
  });

  it("takes the running engine's word for applications and check-ins", async () => {
    const home = await activatedHome("running");
    const fatal = {
      name: "meter",
      version: "1",
      kind: "long-running",
      state: "FATAL",
      sinceMs: 0,
      restarts: 3,
      detail: "exited too quickly",
    } as const;
    await using _ = await controlServer(home.paths.controlSocket, () => ({
      status: 200,
      body: engineStatus({ apps: [fatal] }),
    }));
    const { stdout } = await runCommand("gwe", ["doctor", "-q"], home);
    expect(stdout).toMatch(
      /^FAULT +applications +meter is FATAL \(exited too quickly\)\n +-> 'gwe logs meter'/m,
    );
    expect(stdout).not.toMatch(/^ok/m);
    expect(stdout).toMatch(/\d faults?, \d warnings?\.\n$/);
  });
});

async function ownName(): Promise<string> {
  const { readFileSync } = await import("node:fs");
  return readFileSync("/proc/self/comm", "utf8").trim();
}
