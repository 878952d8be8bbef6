import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { goodSupervisorConf, packageWith, type RawMember } from "../../support/ota-archives.ts";
import { OtaHarness, quickProbation, workerFile } from "../../support/ota-harness.ts";
import { bundleProgram } from "../../support/program-bundle.ts";

const child = bundleProgram("test/support/ota-crash-child.ts");
const env = { ...process.env, GWE_TEST_OTA_WORKER: workerFile };
let home: string;
let runs: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "gwe-ota-crash-"));
  runs = join(home, "runs");
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const note = (): string => `echo "$(basename $0) $GWE_APP_VERSION" >> ${runs}`;

interface Scenario {
  /** Versions that are there before, oldest first. */
  readonly before?: readonly string[];
  /** The package of version 2: how its install.sh and its health end. */
  readonly installer?: string;
  readonly health?: string;
  /** In place of its installation. */
  readonly command?: unknown;
  readonly fatal?: readonly string[];
}

/** Kills the pipeline at its n-th transition, starts it again, and looks at what came of it. */
async function killAndRestart<T>(
  { before = ["1"], installer = "", health, command, fatal = [] }: Scenario,
  killAt: number,
  step: string,
  examine: (harness: OtaHarness) => T,
): Promise<void> {
  const prepared = new OtaHarness({}, home);
  for (const version of before) {
    await prepared.pretendKept("meter", version, { "install.sh": note(), "pre-remove": note() });
  }
  await prepared.dispose();
  const scripts: RawMember[] =
    health === undefined
      ? []
      : [{ name: "health", mode: 0o755, content: `#!/bin/sh\n${note()}\n${health}\n` }];
  const packageFile = join(home, "meter.v2.tar.gz");
  writeFileSync(
    packageFile,
    packageWith(`#!/bin/sh\n${note()}\n${installer}\n`, [goodSupervisorConf, ...scripts]),
  );
  const text = JSON.stringify(command ?? { install: [{ name: "meter.v2.tar.gz" }] });
  const args = [child, home, String(killAt), packageFile, text, JSON.stringify(fatal)];
  const killed = spawnSync(process.execPath, args, { encoding: "utf8", env });
  expect({ signal: killed.signal, stderr: killed.stderr }).toEqual({ signal: "SIGKILL", stderr: "" });
  expect(killed.stdout.trim().split("\n").at(-1)).toBe(step);
  const harness = new OtaHarness({ limits: { ...quickProbation, clearingGraceMs: 0 } }, home);
  try {
    for (const version of fatal) harness.host.versionStates.set(version, "FATAL");
    harness.content.files.set("meter.v2.tar.gz", readFileSync(packageFile));
    harness.ota.start();
    await harness.ota.idle();
    expect(harness.ota.jobs()).toEqual([]);
    expect(harness.reports()).toHaveLength(1);
    examine(harness);
  } finally {
    await harness.dispose();
  }
}

const numbered = (first: number, steps: readonly string[]): readonly (readonly [string, number])[] =>
  steps.map((step, index) => [step, first + index] as const);

function expectVersion1Back(harness: OtaHarness): void {
  expect(harness.reports()[0]?.apps).toMatchObject([{ name: "meter", version: "2", status: "rolled-back" }]);
  expect(harness.host.installed("meter")?.directory).toBe(join(harness.apps, "meter/1"));
  expect(harness.versionsOf("meter")).toEqual(["1"]);
  expect(readFileSync(runs, "utf8").trim().split("\n").at(-1)).toBe("install.sh 1");
}

describe("a kill -9 of the engine", () => {
  it.each(numbered(8, ["activating -> probation", "probation -> probation", "probation -> committed"]))(
    "at %s: a healthy version is kept all the same",
    async (step, killAt) => {
      await killAndRestart({ health: "" }, killAt, step, (harness) => {
        expect(harness.reports()[0]?.apps).toMatchObject([{ version: "2", status: "installed" }]);
        expect(harness.host.installed("meter")?.version).toBe("2");
        expect(harness.versionsOf("meter")).toEqual(["1", "2"]);
      });
    },
  );

  it.each(
    numbered(8, [
      "activating -> probation",
      "probation -> probation",
      "probation -> rolling-back",
      "rolling-back -> rolling-back",
      "rolling-back -> rolled-back",
    ]),
  )("at %s: an unhealthy version makes way for the one before", async (step, killAt) => {
    await killAndRestart({ health: "exit 1" }, killAt, step, expectVersion1Back);
  });

  it.each(
    numbered(7, [
      "installing -> rolling-back",
      "rolling-back -> rolling-back",
      "rolling-back -> rolled-back",
    ]),
  )(
    "at %s: what a failed installer overwrote is put right, and nothing is restarted",
    async (step, killAt) => {
      await killAndRestart({ installer: "exit 3" }, killAt, step, (harness) => {
        expectVersion1Back(harness);
        expect(harness.host.deployed).toEqual([]);
      });
    },
  );

  it.each(numbered(8, ["activating -> rolling-back", "rolling-back -> failed"]))(
    "at %s: a new app that does not start is withdrawn",
    async (step, killAt) => {
      await killAndRestart({ before: [], fatal: ["2"] }, killAt, step, (harness) => {
        expect(harness.reports()[0]?.apps).toMatchObject([
          { status: "failed", output: expect.stringContaining("the app was withdrawn") },
        ]);
        expect(harness.host.installed("meter")).toBeUndefined();
        expect(harness.versionsOf("meter")).toEqual([]);
      });
    },
  );

  it.each(
    numbered(1, [
      "received -> queued",
      "queued -> performing",
      "performing -> performing",
      "performing -> committed",
    ]),
  )("at %s: an app that is to be removed is gone", async (step, killAt) => {
    await killAndRestart({ command: { remove: ["meter"] } }, killAt, step, (harness) => {
      expect(harness.reports()[0]?.apps).toMatchObject([{ status: "removed", version: "1" }]);
      expect(harness.host.installed("meter")).toBeUndefined();
      expect(existsSync(join(harness.apps, "meter"))).toBe(false);
    });
  });

  it.each(
    numbered(2, [
      "queued -> performing",
      "performing -> rolling-back",
      "rolling-back -> rolling-back",
      "rolling-back -> rolled-back",
    ]),
  )("at %s: the version that was asked for is back", async (step, killAt) => {
    const scenario = { before: ["1", "2"], command: { rollback: ["meter"] } };
    await killAndRestart(scenario, killAt, step, expectVersion1Back);
  });
});
