import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { runSetup } from "../../../src/cli/gwe-setup.ts";
import { ConfigStore, loadConfig, readCik } from "../../../src/config/index.ts";
import { configIo } from "../../../src/daemon/config-io.ts";
import { macAddress, networkInterfaceNames } from "../../../src/platform/network-interfaces.ts";
import { type CommandOutcome, callCommand } from "../../support/command-in-process.ts";
import { startTestEmulator, type TestEmulator } from "../../support/emulator.ts";
import { type GweHome, gweHome } from "../../support/gwe-home.ts";

const product = "setuppid";
const [iface] = networkInterfaceNames().filter((name) => macAddress(name) !== undefined);

let emulator: TestEmulator;
beforeAll(async () => {
  emulator = await startTestEmulator();
  return () => emulator.close();
});

function freshHome(): GweHome {
  const home = gweHome();
  onTestFinished(() => home[Symbol.dispose]());
  return home;
}

function setup(home: GweHome, args: readonly string[], input = ""): Promise<CommandOutcome> {
  return callCommand(runSetup, args, home.paths, input);
}

const at = (): readonly string[] => ["--server-url", emulator.url];

describe("gwe setup", () => {
  it("configures, checks, activates and says what is next; again, it finds all in order", async () => {
    const home = freshHome();
    await emulator.addSerial(product, "by-flags");
    const args = ["--product-id", product, "--serial", "by-flags", ...at()];
    const first = await setup(home, args);
    expect(first).toMatchObject({ status: 0, stderr: "" });
    expect(first.stdout).toMatch(/network +127\.0\.0\.1:\d+ answers in/);
    expect(first.stdout).toMatch(/^ok +murano +activated$/m);
    expect(first.stdout).toMatch(/start the engine/);
    const cik = readCik(home.paths.gatewayCfg);
    expect(cik).toMatch(/^[0-9A-Za-z]{40}$/);
    expect(first.stdout).not.toContain(cik);
    const again = await setup(home, args);
    expect(again).toMatchObject({ status: 0 });
    expect(again.stdout).toContain("Murano knows this gateway");
    expect(readCik(home.paths.gatewayCfg)).toBe(cik);
  });

  it("asks for what it does not know, and again where an answer cannot be", async () => {
    const home = freshHome();
    await emulator.addSerial(product, "by-answers");
    new ConfigStore({ paths: home.paths, io: configIo }).set([
      { section: "device", key: "server_url", value: emulator.url },
    ]);
    const result = await setup(home, [], `not one word\n${product}\nby-answers\n`);
    expect(result).toMatchObject({ status: 0 });
    expect(result.stderr).toContain("It is shown in Murano");
    expect(loadConfig(home.paths).device).toMatchObject({ vendor: product, serial: "by-answers" });
  });

  it("without answers says how to go without questions", async () => {
    const result = await setup(freshHome(), []);
    expect(result.status).toBe(1);
    expect(result.stderr).toContain("no answer; without questions: gwe setup [--product-id ID]");
  });

  it("tells an unknown serial from one that may not activate, and keeps the configuration", async () => {
    const home = freshHome();
    await emulator.addSerial(product, "closed", { enable: false });
    const unknown = await setup(home, ["-P", product, "-s", "nobody", ...at()]);
    expect(unknown).toMatchObject({ status: 1 });
    expect(unknown.stderr).toContain(`no device nobody in the product ${product}`);
    const closed = await setup(home, ["-s", "closed"]);
    expect(closed.stderr).toContain("enable the device");
    expect(loadConfig(home.paths).device.serial).toBe("closed");
  });

  it("is to be repeated where Murano cannot be reached", async () => {
    const home = freshHome();
    const result = await setup(home, ["-P", product, "-s", "x", "--server-url", "http://127.0.0.1:9"]);
    expect(result).toMatchObject({ status: 5 });
    expect(result.stdout).toMatch(/FAULT +network +127\.0\.0\.1:9 cannot be reached/);
    expect(result.stderr).toContain("activates by itself");
  });

  it("makes no other device of an activated gateway unasked", async () => {
    const home = freshHome();
    for (const serial of ["first-one", "second-one"]) await emulator.addSerial(product, serial);
    await setup(home, ["-P", product, "-s", "first-one", ...at()]);
    const cik = readCik(home.paths.gatewayCfg);
    const refused = await setup(home, ["-s", "second-one"]);
    expect(refused).toMatchObject({ status: 1 });
    expect(refused.stderr).toContain(`activated as first-one of ${product}`);
    expect(readCik(home.paths.gatewayCfg)).toBe(cik);
    expect(await setup(home, ["-s", "second-one", "--replace"])).toMatchObject({ status: 0 });
    expect(readCik(home.paths.gatewayCfg)).not.toBe(cik);
  });

  it("takes a whole batch from one file: settings, and serial numbers by MAC address", async () => {
    const home = freshHome();
    expect(iface, "a machine with a network interface").toBeDefined();
    const mac = macAddress(iface ?? "") ?? "";
    await emulator.addSerial(product, "from-the-list");
    const file = join(home.home, "batch.ini");
    writeFileSync(
      file,
      `[setup]\nproduct_id = ${product}\nserials = serials.csv\n[device]\nserver_url = ${emulator.url}\n[engine]\nupdate_interval = 77\n`,
    );
    writeFileSync(
      join(home.home, "serials.csv"),
      `# mac,serial\n00:00:5e:00:53:01,another\n${mac.toLowerCase()},from-the-list\n`,
    );
    expect(await setup(home, ["--file", file])).toMatchObject({ status: 0, stderr: "" });
    const { device, engine } = loadConfig(home.paths);
    expect({ serial: device.serial, interval: engine.updateIntervalS }).toEqual({
      serial: "from-the-list",
      interval: 77,
    });
    expect(readCik(home.paths.gatewayCfg)).toBeDefined();
  });

  it("for an image leaves the MAC address to each gateway, and asks nobody", async () => {
    const home = freshHome();
    const result = await setup(home, [
      "-P",
      product,
      "-i",
      "eth9",
      "--offline",
      "--server-url",
      "http://127.0.0.1:9",
    ]);
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(loadConfig(home.paths).device).toMatchObject({ iface: "eth9", serial: undefined });
  });

  it("writes nothing where one value cannot be", async () => {
    const home = freshHome();
    home.gatewayCfg("[device]\nvendor = before\n");
    const result = await setup(home, ["-P", "after", "-s", "x", "--server-url", "ftp://somewhere"]);
    expect(result).toMatchObject({ status: 255 });
    expect(readFileSync(home.paths.gatewayCfg, "utf8")).toBe("[device]\nvendor = before\n");
  });
});
