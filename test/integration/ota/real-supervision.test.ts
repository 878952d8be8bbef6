import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { JobRecord } from "../../../src/core/control-api.ts";
import { EngineProcess, eventually } from "../../support/engine-process.ts";
import { packageWith, type RawMember } from "../../support/ota-archives.ts";
import { type CommandResult, runCommand } from "../../support/run-command.ts";

// One engine with pm2 and its launchers for all: each test goes on from where the one before left the app.
let engine: EngineProcess;

beforeAll(async () => {
  engine = new EngineProcess({
    // Nobody answers there: what is tested needs no Murano.
    serverUrl: "http://127.0.0.1:9",
    product: "product",
    serial: "serial",
    engineConfig: ["probation = 2"],
  });
  engine.start();
  await eventually("the engine's answer", () => engine.status());
  mkdirSync(join(engine.home, "files"));
});
afterAll(() => engine[Symbol.asyncDispose]());

interface Package {
  readonly command: string;
  readonly options?: string;
  readonly health?: string;
  readonly installer?: string;
}

function install(version: string, { command, options = "", health, installer = "" }: Package) {
  const members: RawMember[] = [
    { name: "supervisor.conf", content: `[supervisord]\ncommand=${command}\nstartsecs=0\n${options}\n` },
    ...(health === undefined ? [] : [{ name: "health", mode: 0o755, content: `#!/bin/sh\n${health}\n` }]),
  ];
  const file = join(engine.home, "files", `meter.v${version}.tar.gz`);
  writeFileSync(file, packageWith(`#!/bin/sh\n${installer}\n`, members));
  return runCommand("gwe", ["install", file], { home: engine.home });
}

const history = async (): Promise<readonly JobRecord[]> =>
  JSON.parse((await runCommand("gwe", ["history", "meter", "--json"], { home: engine.home })).stdout);
const outcomeOf = ({ status, stdout }: CommandResult): string =>
  `${status} ${stdout.trim().split("\n").at(-1)}`;

it("a healthy app passes its probation", async () => {
  const result = await install("1", {
    command: "/bin/sleep 1000",
    health: 'echo "$GWE_APP_VERSION is fine"',
  });
  expect(outcomeOf(result)).toBe("0 meter 1: installed");
  await engine.running("meter", "1");
});

it("an app that starts and dies soon after makes way for the version that ran before", async () => {
  const result = await install("2", {
    command: "/bin/sh -c 'echo ready; sleep 1; echo cannot go on; exit 1'",
    health: "true",
  });
  expect(outcomeOf(result)).toBe("1 meter 2: rolled-back");
  expect(result.stdout).toContain("cannot go on\n");
  expect(result.stdout).toMatch(/gwe: did not stay up: .*version 1 is back: RUNNING/);
  await engine.running("meter", "1");
});

it("so does one that cannot be started, with its last words", async () => {
  const result = await install("3", {
    command: "/bin/sh -c 'echo no such meter; exit 2'",
    options: "startsecs=1\nstartretries=0",
  });
  expect(outcomeOf(result)).toBe("1 meter 3: rolled-back");
  expect(result.stdout).toContain("no such meter\n");
  await engine.running("meter", "1");
});

it("an installer that fails does not touch the app that runs", async () => {
  const { pid } = await engine.running("meter", "1");
  const result = await install("4", { command: "/bin/sleep 1000", installer: "exit 9" });
  expect(outcomeOf(result)).toBe("1 meter 4: rolled-back (exit status 9)");
  expect((await engine.running("meter", "1")).pid).toBe(pid);
});

it("an app that runs once and is done is installed", async () => {
  const result = await install("5", { command: "/bin/sh -c 'sleep 1; exit 0'", health: "exit 1" });
  expect(outcomeOf(result)).toBe("0 meter 5: installed");
  expect(await engine.app("meter")).toMatchObject({ version: "5", state: "EXITED" });
});

it("an app that is wanted stopped is updated without being started", async () => {
  await runCommand("gwe", ["stop", "meter"], { home: engine.home });
  const result = await install("6", { command: "/bin/sleep 1000", health: "exit 1" });
  expect(outcomeOf(result)).toBe("0 meter 6: installed");
  expect(await engine.app("meter")).toMatchObject({ version: "6", state: "STOPPED" });
});

it("a running app is removed with its processes and its versions, and the history tells it all", async () => {
  await runCommand("gwe", ["start", "meter"], { home: engine.home });
  const { pid } = await engine.running("meter", "6");
  const removed = await runCommand("gwe", ["remove", "meter"], { home: engine.home });
  expect(outcomeOf(removed)).toBe("0 meter 6: removed");
  expect(existsSync(`/proc/${pid}`)).toBe(false);
  await eventually("its files to go", () => !existsSync(join(engine.paths.appsDir, "meter")));
  expect((await history()).map(({ action, version, status }) => `${action} ${version} ${status}`)).toEqual([
    "remove 6 removed",
    "install 6 installed",
    "install 5 installed",
    "install 4 rolled-back",
    "install 3 rolled-back",
    "install 2 rolled-back",
    "install 1 installed",
  ]);
});

it("without the engine, gwe installs, shows the history and removes by itself", async () => {
  await engine.end("SIGTERM");
  expect(outcomeOf(await install("7", { command: "/bin/sleep 1000" }))).toBe("0 meter 7: installed");
  expect((await history())[0]).toMatchObject({ action: "install", version: "7", status: "installed" });
  const removed = await runCommand("gwe", ["remove", "meter"], { home: engine.home });
  expect(outcomeOf(removed)).toBe("0 meter 7: removed");
  expect(outcomeOf(await runCommand("gwe", ["remove", "meter"], { home: engine.home }))).toBe(
    "1 meter: failed",
  );
});
