import { existsSync, readFileSync, statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CikStore, loadConfig, RemoteSettings } from "../../../src/config/index.ts";
import { configIo } from "../../../src/daemon/config-io.ts";
import { type GweHome, gweHome } from "../../support/gwe-home.ts";

const oldCik = "a".repeat(40);
const newCik = "B".repeat(40);
const gatewayCfg = `[device]\nserver_url = https://old.example\nvendor = v\nmodel = v\ncik = ${oldCik} ; ours\n`;

/** The settings of an engine that starts now. */
const started = ({ paths }: GweHome): RemoteSettings =>
  new RemoteSettings({ paths, io: configIo, running: loadConfig(paths) });
const cikOf = (home: GweHome): string | undefined =>
  new CikStore({ paths: home.paths, io: configIo }).current();
const keptCik = ({ paths }: GweHome): string => `${paths.etcDir}/.cik-before-configure`;

describe("what may be set from afar", () => {
  it("is checked by the rules of the files, each fault by its key", () => {
    using home = gweHome();
    home.gatewayCfg(gatewayCfg);
    const faults = started(home).faultsOf({
      update_interval: "0",
      check_in: "often",
      probation: "60",
      server_url: "ftp://x",
      user_agent: "two\nlines",
    });
    expect(faults).toHaveLength(4);
    expect(faults.join("\n")).toMatch(/update_interval = "0": expected a whole number of seconds from 1 to/);
    expect(faults.join("\n")).toMatch(/check_in = "often": expected one of interval, long-poll/);
    expect(faults.join("\n")).toMatch(/server_url = "ftp:\/\/x": expected http/);
    expect(faults.join("\n")).toMatch(/user_agent: a value is one line/);
  });

  it.each([
    "cik",
    "vendor",
    "uuid",
    "ca_file",
    "require_signature",
    "allow_downgrade",
    "release_url",
    "colour",
  ])("does not include %s", (key) => {
    using home = gweHome();
    const [fault, ...others] = started(home).faultsOf({ [key]: "x" });
    expect(others).toEqual([]);
    expect(fault).toMatch(/cannot be set from afar; these can: server_url, .*download_bytes_per_second/);
  });

  it("does not include a server that the CIK would be sent to in the clear for the first time", () => {
    using home = gweHome();
    home.gatewayCfg(gatewayCfg);
    expect(started(home).faultsOf({ server_url: "http://old.example" })).toEqual([
      expect.stringContaining("only at the gateway"),
    ]);
    home.gatewayCfg(gatewayCfg.replace("https", "http"));
    expect(started(home).faultsOf({ server_url: "http://new.example" })).toEqual([]);
  });

  it("does not include what an engine could not start with", () => {
    using home = gweHome();
    home.gatewayCfg(gatewayCfg.replace("vendor = v", "vendor = v_1"));
    expect(started(home).faultsOf({ server_url: "" })).toEqual([expect.stringContaining("set a server_url")]);
  });
});

describe("settings and their return", () => {
  it("leave every other byte of both files as it was", () => {
    using home = gweHome();
    home.gatewayCfg(gatewayCfg);
    const engineConfig = "# mine\n[engine]\nupdate_interval = 60 ; often\ncolour = blue\n";
    home.engineConfig(engineConfig);
    const settings = started(home);
    const after = { update_interval: "90", probation: "40", server_url: "https://new.example" };
    const before = settings.current(Object.keys(after));
    expect(before).toEqual({ update_interval: "60", probation: "", server_url: "https://old.example" });

    settings.apply(before, after);
    expect(loadConfig(home.paths)).toMatchObject({
      engine: { updateIntervalS: 90, probationS: 40 },
      device: { serverUrl: "https://new.example" },
    });
    expect(settings.areInForce(Object.keys(after))).toBe(false);
    expect(started(home).areInForce(Object.keys(after))).toBe(true);

    settings.putBack(before, after);
    expect(readFileSync(home.paths.gatewayCfg, "utf8")).toBe(gatewayCfg);
    expect(readFileSync(home.paths.engineConfig, "utf8")).toBe(engineConfig);
  });

  it("leave alone what somebody changed meanwhile", () => {
    using home = gweHome();
    home.engineConfig("[engine]\nprobation = 1\nkept_versions = 3\n");
    const settings = started(home);
    const after = { probation: "2", kept_versions: "4" };
    const before = settings.current(Object.keys(after));
    settings.apply(before, after);
    home.engineConfig("[engine]\nprobation = 77\nkept_versions = 4\n");
    settings.apply(before, after);
    settings.putBack(before, after);
    expect(settings.current(["probation", "kept_versions"])).toEqual({ probation: "77", kept_versions: "3" });
  });

  it("bring back the CIK of the old server, whatever another server gave", () => {
    using home = gweHome();
    home.gatewayCfg(gatewayCfg);
    const after = { server_url: "https://new.example" };
    const before = started(home).current(["server_url"]);
    started(home).apply(before, after);
    expect(statSync(keptCik(home)).mode & 0o777).toBe(0o600);
    // The gateway activated itself there; then it was killed, and started anew.
    new CikStore({ paths: home.paths, io: configIo }).replace(newCik);
    started(home).apply(before, after);
    expect(cikOf(home)).toBe(newCik);
    started(home).putBack(before, after);
    expect(cikOf(home)).toBe(oldCik);
    expect(readFileSync(home.paths.gatewayCfg, "utf8")).toBe(gatewayCfg);
  });

  it("keep the new CIK when the change has proved itself", () => {
    using home = gweHome();
    home.gatewayCfg(gatewayCfg);
    const after = { server_url: "https://new.example" };
    const settings = started(home);
    const before = settings.current(["server_url"]);
    settings.apply(before, after);
    new CikStore({ paths: home.paths, io: configIo }).replace(newCik);
    settings.forgetOld();
    expect(existsSync(keptCik(home))).toBe(false);
    expect(cikOf(home)).toBe(newCik);
  });
});
