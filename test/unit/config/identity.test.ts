import { describe, expect, it } from "vitest";
import {
  ConfigError,
  checkPaths,
  type InterfacePort,
  loadConfig,
  requireProduct,
  resolvePaths,
  resolveSerial,
} from "../../../src/config/index.ts";
import { gweHome } from "../../support/gwe-home.ts";

const macs = new Map([
  ["eth0", "FF:10:C2:9B:A8:46"],
  ["wlan0", "FF:10:C2:9B:A8:47"],
]);
const interfaces: InterfacePort = {
  macAddress: (iface) => macs.get(iface),
  networkInterfaceNames: () => ["eth0", "lo", "wlan0"],
};

function deviceWith(lines: string) {
  using home = gweHome();
  home.gatewayCfg(`[device]\n${lines}\n`);
  return loadConfig(home.paths);
}

describe("resolveSerial", () => {
  it("prefers the uuid, even beside an interface", () => {
    const config = deviceWith("uuid = any!@#$%^&*()number\niface = eth0");
    expect(resolveSerial(config, interfaces)).toEqual({ kind: "uuid", serial: "any!@#$%^&*()number" });
  });

  it("else takes the MAC address of the interface", () => {
    expect(resolveSerial(deviceWith("uuid = ''\niface = eth0"), interfaces)).toEqual({
      kind: "iface",
      serial: "FF:10:C2:9B:A8:46",
      iface: "eth0",
    });
  });

  it.each([
    ["ppp0", "does not exist"],
    ["lo", "has no MAC address"],
  ])("warns of %s, which %s, and lists those that would do", (iface, problem) => {
    expect(resolveSerial(deviceWith(`iface = ${iface}`), interfaces)).toEqual({
      kind: "missing-iface",
      iface,
      warning: `the network interface ${iface} ${problem}; usable here: eth0, wlan0`,
    });
  });

  it("refuses to go on with neither, and says what to do", () => {
    expect(() => resolveSerial(deviceWith("uuid = ''"), interfaces)).toThrow(ConfigError);
    expect(() => resolveSerial(deviceWith("uuid = ''"), interfaces)).toThrow(
      /gwe --set-iface .*gwe --set-uuid/,
    );
  });
});

describe("requireProduct", () => {
  it("gives vendor, model and server of a configured gateway", () => {
    expect(requireProduct(deviceWith("vendor = abc\nmodel = abc"))).toEqual({
      vendor: "abc",
      model: "abc",
      serverUrl: "https://abc.m2.exosite.io",
    });
  });

  it("says what to do otherwise", () => {
    expect(() => requireProduct(deviceWith("vendor = abc"))).toThrow(/gwe --set-product-id/);
  });
});

describe("paths", () => {
  it("are those of an installed gateway without GWE_HOME", () => {
    expect(resolvePaths({ GWE_HOME: "" })).toEqual(resolvePaths({}));
    expect(resolvePaths({})).toMatchObject({
      home: null,
      gatewayCfg: "/etc/gateway-engine/Gateway.cfg",
      engineConfig: "/etc/gateway-engine/Engine.config",
      pm2Home: "/var/lib/gateway-engine/pm2",
      controlSocket: "/run/gateway-engine/gwe.sock",
      logDir: "/var/log",
    });
  });

  it("are all below GWE_HOME, made absolute", () => {
    const { home, ...rest } = resolvePaths({ GWE_HOME: "some/where/" });
    expect(home).toBe(`${process.cwd()}/some/where`);
    expect(Object.values(rest).filter((path) => !path.startsWith(`${home}/`))).toEqual([]);
  });

  it("may be too long for Unix sockets, which is said at the start and not before", () => {
    const paths = resolvePaths({ GWE_HOME: `/${"x".repeat(100)}` });
    expect(() => checkPaths(paths)).toThrow(/gwe\.sock has 114 bytes.*allows 107.*pm2 has 109 bytes/);
    expect(() => checkPaths(resolvePaths({ GWE_HOME: `/${"x".repeat(81)}` }))).not.toThrow();
    expect(() => checkPaths(resolvePaths({ GWE_HOME: `/${"\u00e9".repeat(41)}` }))).toThrow(/91 bytes/);
  });
});
