import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CommandResult } from "../../../src/ota/index.ts";
import {
  goodInstallScript,
  goodPackage,
  goodSupervisorConf,
  packageWith,
  rawPackage,
} from "../../support/ota-archives.ts";
import { OtaHarness } from "../../support/ota-harness.ts";

let harness: OtaHarness;

beforeEach(() => {
  harness = new OtaHarness();
  harness.ota.start();
});
afterEach(() => harness.dispose());

describe("a package made by tar", () => {
  let source: string;

  beforeEach(() => {
    source = mkdtempSync(join(tmpdir(), "gwe-package-"));
    const app = join(source, "meter");
    mkdirSync(join(app, "data/deep"), { recursive: true });
    writeFileSync(join(app, "install.sh"), goodInstallScript.content ?? "", { mode: 0o755 });
    writeFileSync(join(app, "supervisor.conf"), goodSupervisorConf.content ?? "");
    writeFileSync(join(app, "data/deep/Grüße\nwelt"), "name and content survive");
    execFileSync("ln", ["-s", "deep/Grüße\nwelt", join(app, "data/relative-link")]);
    execFileSync("ln", [join(app, "data/deep/Grüße\nwelt"), join(app, "data/hard-link")]);
  });
  afterEach(() => rmSync(source, { recursive: true, force: true }));

  const pack = (...args: readonly string[]): Buffer => execFileSync("tar", ["-czf", "-", ...args]);

  it.each([
    ["with its files at the top level", () => pack("-C", join(source, "meter"), ".")],
    ["with one directory around them", () => pack("-C", source, "meter")],
    ["in the old GNU format", () => pack("--format=gnu", "-C", source, "meter")],
    ["in the PAX format", () => pack("--format=pax", "-C", source, "meter")],
  ])("%s is installed with every file in place", async (_form, makePackage) => {
    const report = await harness.install({ "meter.v1.2-3.tar.gz": makePackage() });

    expect(report.apps).toEqual([
      {
        name: "meter",
        version: "1.2-3",
        status: "installed",
        exit_code: 0,
        started: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        finished: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        output: "installing meter 1.2-3\n",
        output_cut: 0,
      },
    ]);
    const directory = join(harness.apps, "meter/1.2-3");
    expect(harness.host.installed("meter")).toEqual({
      name: "meter",
      version: "1.2-3",
      kind: "long-running",
      directory,
    });
    expect(readFileSync(join(directory, "data/relative-link"), "utf8")).toBe("name and content survive");
    expect(readFileSync(join(directory, "data/hard-link"), "utf8")).toBe("name and content survive");
    expect(statSync(join(directory, "install.sh")).mode & 0o777).toBe(0o755);
    expect(harness.versionsOf("meter")).toEqual(["1.2-3"]);
  });
});

describe("a package made by tar --sparse", () => {
  it.each(["gnu", "pax"])("in the %s format is refused rather than unpacked wrongly", async (format) => {
    const source = mkdtempSync(join(tmpdir(), "gwe-package-"));
    try {
      writeFileSync(join(source, "install.sh"), "#!/bin/sh\n", { mode: 0o755 });
      execFileSync("truncate", ["-s", "1M", join(source, "sparse")]);
      writeFileSync(join(source, "sparse"), "end", { flag: "a" });
      const made = execFileSync("tar", ["-czSf", "-", `--format=${format}`, "-C", source, "."]);
      const report = await harness.install({ "meter.v1.tar.gz": made });
      expect(report.apps[0]).toMatchObject({ status: "failed", output: expect.stringMatching(/sparse/i) });
    } finally {
      rmSync(source, { recursive: true });
    }
  });
});

describe("an installer", () => {
  it("runs in its own directory with the documented environment and nothing of the engine's", async () => {
    process.env.GWE_TEST_INTERNAL = "secret";
    try {
      await harness.install({ "meter.v1.tar.gz": goodPackage });
      const report = await harness.install({
        "meter.v2.tar.gz": packageWith("#!/bin/sh\npwd\nenv | sort\n"),
      });
      const directory = join(harness.apps, "meter/2");
      const lines = report.apps[0]?.output.split("\n") ?? [];
      expect(lines[0]).toBe(directory);
      expect(lines).toEqual(
        expect.arrayContaining([
          "GWE_APP_NAME=meter",
          "GWE_APP_VERSION=2",
          `GWE_APP_DIR=${directory}`,
          "GWE_PREVIOUS_VERSION=1",
          `PATH=${process.env.PATH}`,
        ]),
      );
      expect(report.apps[0]?.output).not.toContain("GWE_TEST_INTERNAL");
      expect(report.apps[0]?.output).not.toContain("NODE_");
    } finally {
      delete process.env.GWE_TEST_INTERNAL;
    }
  });

  it("is what its shebang says, run by itself", async () => {
    const script = '#!/usr/bin/awk -f\nBEGIN { print "from awk" }\n';
    const report = await harness.install({ "meter.v1.tar.gz": packageWith(script) });
    expect(report.apps[0]).toMatchObject({ status: "installed", output: "from awk\n" });
  });

  it("may be a setup.py, run by the gateway's Python", async () => {
    const setup = 'import sys\nprint("setup", sys.argv[1])\n';
    const report = await harness.install({
      "lib.v1.tar.gz": rawPackage([{ name: "setup.py", content: setup }]),
    });
    expect(report.apps[0]).toMatchObject({ status: "installed", output: "setup install\n" });
    expect(harness.host.installed("lib")?.kind).toBe("library");
  });

  it("without a supervisor.conf makes a one-off app", async () => {
    const report = await harness.install({ "once.v1.tar.gz": rawPackage([goodInstallScript]) });
    expect(report.apps[0]?.status).toBe("installed");
    expect(harness.host.installed("once")?.kind).toBe("one-off");
  });
});

describe("versions on disk", () => {
  it("keep the current one and the one before", async () => {
    for (const version of ["1", "2", "3"]) {
      await harness.install({ [`meter.v${version}.tar.gz`]: goodPackage });
    }
    expect(harness.versionsOf("meter")).toEqual(["2", "3"]);
  });

  it("of a reinstalled version leave the running directory alone", async () => {
    await harness.install({ "meter.v1.tar.gz": goodPackage });
    await harness.install({ "meter.v1.tar.gz": goodPackage });
    expect(harness.versionsOf("meter")).toEqual(["1", "1~2"]);
    expect(harness.host.installed("meter")).toMatchObject({
      version: "1",
      directory: join(harness.apps, "meter/1~2"),
    });
  });

  it("that the pipeline did not make are never removed", async () => {
    mkdirSync(join(harness.apps, "meter/0-by-hand"), { recursive: true });
    for (const version of ["1", "2", "3"]) {
      await harness.install({ [`meter.v${version}.tar.gz`]: goodPackage });
    }
    expect(harness.versionsOf("meter")).toEqual(["0-by-hand", "2", "3"]);
  });

  it("are all that is left: the downloaded package goes", async () => {
    await harness.install({ "meter.v1.tar.gz": goodPackage });
    expect(existsSync(join(harness.home, "packages/meter.v1.tar.gz"))).toBe(false);
  });
});

describe("package files on the gateway", () => {
  it("are installed by the same pipeline, reported, and left where they are", async () => {
    const file = join(harness.home, "meter.v7.tar.gz");
    writeFileSync(file, goodPackage);
    const results = await harness.ota.installFiles([file, join(harness.home, "nonsense.zip")]);
    expect(results).toMatchObject([
      { name: "meter", version: "7", status: "installed", exitCode: 0, output: "installing meter 7\n" },
      { name: "nonsense.zip", status: "failed" },
    ]);
    expect(existsSync(file)).toBe(true);
    expect(harness.reports()).toHaveLength(1);
    expect(harness.content.requests).toEqual([]);
  });

  it("that are not there fail", async () => {
    const [result] = await harness.ota.installFiles([join(harness.home, "gone.v1.tar.gz")]);
    expect(result).toMatchObject({ status: "failed", output: expect.stringContaining("gone or unreadable") });
  });
});

describe("listeners", () => {
  it("hear of a command when its report is durable", async () => {
    const heard: (CommandResult & { reports: number })[] = [];
    harness.ota.onFinished((result) => heard.push({ ...result, reports: harness.reports().length }));
    await harness.install({ "a.v1.tar.gz": goodPackage, "b.v1.tar.gz": goodPackage });
    expect(heard).toMatchObject([
      { source: "engine_fetch", reports: 1, apps: [{ name: "a" }, { name: "b" }] },
    ]);
  });
});
