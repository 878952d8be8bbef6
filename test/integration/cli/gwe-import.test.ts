import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { importOriginal } from "../../../src/cli/gwe-import.ts";
import { loadConfig, loadQueueConfig, readCik } from "../../../src/config/index.ts";
import { callCommand } from "../../support/command-in-process.ts";
import { type GweHome, gweHome } from "../../support/gwe-home.ts";
import { runCommand } from "../../support/run-command.ts";

const cik = "3803226073f6f2feb51a9010bd1d3e53143214a7";
const inPython = "usr/local/lib/python2.7/dist-packages/GatewayEngine-1.3.2-py2.7.egg/GatewayEngine";

/** A machine as the original left it, below `root` of a home of ours. */
function originalMachine(): { readonly home: GweHome; readonly root: string } {
  const home = gweHome();
  onTestFinished(() => home[Symbol.dispose]());
  const root = join(home.home, "original");
  const files = {
    [`${inPython}/Gateway.cfg`]: `[device]\ncik = ${cik}\nmodel = abc\nvendor = abc\nuuid = FF:10:C2:9B:A8:46\niface = ''\n`,
    [`${inPython}/Engine.config`]: "[engine]\nupdate_interval = 60\napps = [{'meter': '1.2'}]\n",
    "usr/local/lib/python2.7/dist-packages/gmq/gmq.cfg":
      "[unq]\nbatch_qty = 5\nbatch_record_period = never\n",
    "etc/supervisor/conf.d/meter.conf":
      "[program:meter]\ncommand=python /opt/meter/meter.py\nredirect_stderr=true\n",
    "etc/supervisor/conf.d/gwe.conf": "[program:gwe]\ncommand=gwe\n",
    "etc/supervisor/conf.d/old.conf": "[program:old]\ncommand=/opt/old/run\n",
  };
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return { home, root };
}

describe("gwe import", () => {
  it("takes over who the gateway is, its settings, and its applications as packages that can be installed", async () => {
    const { home, root } = originalMachine();
    const result = await callCommand(importOriginal, ["--root", root], home.paths);
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout).not.toContain(cik);
    expect(result.stdout).toMatch(/old 0-imported \(its version is not known\)/);
    expect(result.stdout).toMatch(/batch_record_period/);
    expect(readCik(home.paths.gatewayCfg)).toBe(cik);
    expect(loadConfig(home.paths)).toMatchObject({
      device: { vendor: "abc", serial: "FF:10:C2:9B:A8:46" },
      engine: { updateIntervalS: 60 },
    });
    expect(loadQueueConfig(home.paths).unq).toMatchObject({ batchQty: 5, batchRecordPeriodS: 10 });
    const waiting = join(home.paths.libDir, "apps_to_install");
    const packages = readdirSync(waiting)
      .sort()
      .map((name) => join(waiting, name));
    expect(packages.map((file) => file.slice(waiting.length + 1))).toEqual([
      "meter.v1.2.tar.gz",
      "old.v0-imported.tar.gz",
    ]);
    expect(await runCommand("gwe", ["--check-tarball", ...packages])).toMatchObject({ status: 0 });
  });

  it("with --dry-run changes nothing, and with --json tells it to programs", async () => {
    const { home, root } = originalMachine();
    const result = await callCommand(
      importOriginal,
      ["--dry-run", "--json", "--root", root, "--except", "old"],
      home.paths,
    );
    expect(JSON.parse(result.stdout)).toMatchObject({
      settings: expect.arrayContaining(["[device] cik = [redacted]"]),
      apps: [{ name: "meter", version: "1.2" }],
      emptiedFiles: [
        join(root, "etc/supervisor/conf.d/gwe.conf"),
        join(root, "etc/supervisor/conf.d/meter.conf"),
      ],
      originalParts: ["gwe"],
    });
    expect(readdirSync(home.home)).toEqual(["original"]);
  });

  it("takes no other CIK's place unasked, and says where it looked in vain", async () => {
    const { home, root } = originalMachine();
    const own = cik.replace("38", "aa");
    home.gatewayCfg(`[device]\ncik = ${own}\n`);
    const refused = await callCommand(importOriginal, ["--root", root], home.paths);
    expect(refused).toMatchObject({ status: 1 });
    expect(readFileSync(home.paths.gatewayCfg, "utf8")).toContain(own);
    expect(await callCommand(importOriginal, ["--root", root, "--replace"], home.paths)).toMatchObject({
      status: 0,
    });
    expect(readCik(home.paths.gatewayCfg)).toBe(cik);
    const nothing = await callCommand(importOriginal, ["--root", join(root, "nowhere")], home.paths);
    expect(nothing).toMatchObject({ status: 1 });
    expect(nothing.stderr).toContain("nothing of an original Gateway Engine was found");
  });
});
