import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CikStore, ConfigError, ConfigStore, loadConfig } from "../../../src/config/index.ts";
import { configIo } from "../../../src/daemon/config-io.ts";
import { type GweHome, gweHome } from "../../support/gwe-home.ts";

const cikA = "a".repeat(40);
const cikB = "B".repeat(40);
const dependencies = (home: GweHome) => ({ paths: home.paths, io: configIo });
const modeOf = (file: string): string => (statSync(file).mode & 0o777).toString(8);

describe("ConfigStore", () => {
  it("creates Gateway.cfg with the original's keys, readable by its group alone", () => {
    using home = gweHome();
    new ConfigStore(dependencies(home)).set([{ section: "device", key: "iface", value: "eth0" }]);
    expect(readFileSync(home.paths.gatewayCfg, "utf8")).toBe(
      "[device]\ncik = ''\nmodel = ''\nvendor = ''\nuuid = ''\niface = eth0\n",
    );
    expect(modeOf(home.paths.gatewayCfg)).toBe("640");
  });

  it("takes the world's right to read away from an existing Gateway.cfg", () => {
    using home = gweHome();
    home.gatewayCfg(`[device]\ncik = ${cikA}\n`);
    chmodSync(home.paths.gatewayCfg, 0o644);
    new ConfigStore(dependencies(home)).set([{ section: "device", key: "iface", value: "eth0" }]);
    expect(modeOf(home.paths.gatewayCfg)).toBe("640");
  });

  it("gives Gateway.cfg to the engine's group where it may, and writes it all the same where it may not", () => {
    using home = gweHome();
    const asked: string[] = [];
    const groupId = (name: string): number => {
      asked.push(name);
      return 65_534;
    };
    new ConfigStore({ paths: home.paths, io: { ...configIo, groupId } }).set([
      { section: "device", key: "iface", value: "eth0" },
    ]);
    expect(asked).toEqual(["gateway-engine"]);
    const root = process.getuid?.() === 0;
    expect(statSync(home.paths.gatewayCfg).gid).toBe(root ? 65_534 : process.getgid?.());
    expect(loadConfig(home.paths).device.iface).toBe("eth0");
  });

  it("keeps comments, unknown keys and hand edits", () => {
    using home = gweHome();
    const text = "# mine\n[engine]\nupdate_interval = 60 ; often\ncolour = blue\n[other]\nx = 1\n";
    home.engineConfig(text);
    new ConfigStore(dependencies(home)).set([{ section: "engine", key: "update_interval", value: "90" }]);
    expect(readFileSync(home.paths.engineConfig, "utf8")).toBe(text.replace("60", "90"));
    expect(loadConfig(home.paths).engine.updateIntervalS).toBe(90);
  });

  it("keeps a Latin-1 file in Latin-1", () => {
    using home = gweHome();
    home.engineConfig("");
    writeFileSync(home.paths.engineConfig, Buffer.from("# caf\u00e9\n[engine]\n", "latin1"));
    new ConfigStore(dependencies(home)).set([{ section: "engine", key: "update_interval", value: "90" }]);
    expect(readFileSync(home.paths.engineConfig, "latin1")).toBe(
      "# caf\u00e9\n[engine]\nupdate_interval = 90\n",
    );
  });

  it("writes two quotes for nothing, which restores the default", () => {
    using home = gweHome();
    const store = new ConfigStore(dependencies(home));
    store.set([{ section: "engine", key: "user_agent", value: "mine/1" }]);
    expect(loadConfig(home.paths).engine.userAgent).toBe("mine/1");
    store.set([{ section: "engine", key: "user_agent", value: "" }]);
    expect(readFileSync(home.paths.engineConfig, "utf8")).toContain("user_agent = ''");
    expect(loadConfig(home.paths).engine.userAgent).toMatch(/^GatewayEngine-v/);
  });

  it("changes no file when one of several changes is invalid", () => {
    using home = gweHome();
    const set = (): void =>
      new ConfigStore(dependencies(home)).set([
        { section: "device", key: "iface", value: "eth0" },
        { section: "engine", key: "update_interval", value: "0" },
        { section: "engine", key: "user_agent", value: "a ; b" },
        { section: "engine", key: "no_such_key", value: "1" },
      ]);
    expect(set).toThrow(ConfigError);
    expect(set).toThrow(
      /update_interval = "0": expected a whole number of seconds from 1 .*user_agent: .*a comment would begin.*no such key/,
    );
    expect(existsSync(home.paths.gatewayCfg)).toBe(false);
  });

  it("leaves no temporary file behind", () => {
    using home = gweHome();
    new ConfigStore(dependencies(home)).set([{ section: "engine", key: "update_interval", value: "5" }]);
    expect(readdirSync(home.paths.etcDir).sort()).toEqual([".lock", "Engine.config"]);
  });

  it("a failed write leaves the old content and says which file", () => {
    using home = gweHome();
    home.engineConfig("[engine]\nupdate_interval = 60\n");
    const full: typeof configIo = {
      ...configIo,
      writeFileAtomic: () => {
        throw Object.assign(new RangeError("no space left"), { code: "ENOSPC", errno: -28 });
      },
    };
    const store = new ConfigStore({ paths: home.paths, io: full });
    expect(() => store.set([{ section: "engine", key: "update_interval", value: "5" }])).toThrow(
      `${home.paths.engineConfig}: cannot write it (ENOSPC)`,
    );
    expect(loadConfig(home.paths).engine.updateIntervalS).toBe(60);
  });
});

describe("CikStore", () => {
  it("knows no CIK before activation", () => {
    using home = gweHome();
    home.gatewayCfg("[device]\ncik = ''\n");
    expect(new CikStore(dependencies(home)).current()).toBeUndefined();
  });

  it("replaces the CIK on fresh content: what others changed in between stays", () => {
    using home = gweHome();
    home.gatewayCfg(`[device]\ncik = ${cikA}\n`);
    const store = new CikStore(dependencies(home));
    expect(store.current()).toBe(cikA);
    home.gatewayCfg(`; by hand\n[device]\nCIK: ${cikA}\nuuid = 12345\n`);
    store.replace(cikB);
    expect(store.current()).toBe(cikB);
    expect(readFileSync(home.paths.gatewayCfg, "utf8")).toBe(
      `; by hand\n[device]\nCIK: ${cikB}\nuuid = 12345\n`,
    );
    expect(modeOf(home.paths.gatewayCfg)).toBe("640");
  });

  it("keeps the old CIK in force when the new one cannot be written", () => {
    using home = gweHome();
    home.gatewayCfg(`[device]\ncik = ${cikA}\n`);
    const failing: typeof configIo = {
      ...configIo,
      writeFileAtomic: () => {
        throw Object.assign(new RangeError("i/o error"), { code: "EIO", errno: -5 });
      },
    };
    const store = new CikStore({ paths: home.paths, io: failing });
    expect(store.current()).toBe(cikA);
    expect(() => store.replace(cikB)).toThrow(ConfigError);
    expect(store.current()).toBe(cikA);
  });

  it.each(["", "''", "short", "a".repeat(39), "a".repeat(41), `${"a".repeat(39)}-`])("refuses %j", (bad) => {
    using home = gweHome();
    home.gatewayCfg(`[device]\ncik = ${cikA}\n`);
    const store = new CikStore(dependencies(home));
    expect(() => store.replace(bad)).toThrow(/40 letters and digits/);
    expect(store.current()).toBe(cikA);
  });

  it("clears, and remembers all it has seen as secrets", () => {
    using home = gweHome();
    home.gatewayCfg(`[device]\ncik = ${cikA}\n`);
    const store = new CikStore(dependencies(home));
    store.current();
    store.replace(cikB);
    store.clear();
    expect(store.current()).toBeUndefined();
    expect(new CikStore(dependencies(home)).current()).toBeUndefined();
    expect(store.knownSecrets()).toEqual([cikA, cikB]);
  });

  it("does not take a mangled CIK for none, nor show it", () => {
    using home = gweHome();
    home.gatewayCfg("[device]\ncik = 1234mangled\n");
    expect(() => new CikStore(dependencies(home)).current()).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("mangled") }),
    );
  });
});
