import { describe, expect, it } from "vitest";
import { ConfigError, engineVersion, loadConfig } from "../../../src/config/index.ts";
import { gweHome } from "../../support/gwe-home.ts";

describe("loadConfig", () => {
  it("gives the defaults where there are no files", () => {
    using home = gweHome();
    expect(loadConfig(home.paths)).toEqual({
      device: {
        vendor: undefined,
        model: undefined,
        serial: undefined,
        iface: undefined,
        activationRetryIntervalS: 300,
        serverUrl: undefined,
        caFile: undefined,
        certFile: undefined,
        keyFile: undefined,
      },
      engine: {
        updateIntervalS: 14_400,
        checkIn: "interval",
        logLevel: "INFO",
        userAgent: `GatewayEngine-v${engineVersion}`,
        installerTimeoutS: 1800,
        probationS: 30,
        fatalRetryS: 600,
        keptVersions: 2,
        keptVersionsMib: 256,
        installerOutputKib: 48,
        fetchStatusFormat: "json",
        diskReserveMib: 32,
        appLogsMib: 50,
        downloadBytesPerSecond: 0,
        requireSignature: "if-keys",
        allowDowngrade: true,
      },
      budgets: new Map(),
    });
  });

  it("reads budgets by interface", () => {
    using home = gweHome();
    home.engineConfig(
      "[budget:ppp*]\ndaily_kib = 500\naction = hold-backlog\n[budget:wwan0]\nmonthly_mib=10\nreset_day=28\n",
    );
    expect(loadConfig(home.paths).budgets).toEqual(
      new Map([
        ["ppp*", { dailyKib: 500, monthlyMib: 0, warningPercent: 80, resetDay: 1, action: "hold-backlog" }],
        ["wwan0", { dailyKib: 0, monthlyMib: 10, warningPercent: 80, resetDay: 28, action: "report" }],
      ]),
    );
  });

  it("refuses a budget without a limit, of no interface, and with values that are not allowed", () => {
    using home = gweHome();
    home.engineConfig(
      "[budget:ppp0]\naction = report\n[budget:a b]\ndaily_kib = 1\n[budget:eth0]\nreset_day = 31\n",
    );
    const faults = (): unknown => {
      try {
        return loadConfig(home.paths);
      } catch (error) {
        return error instanceof ConfigError ? error.faults.map(({ section, key }) => [section, key]) : error;
      }
    };
    expect(faults()).toEqual([
      ["budget:ppp0", undefined],
      ["budget:a b", undefined],
      ["budget:eth0", "reset_day"],
    ]);
    expect(() => loadConfig(home.paths)).toThrow(/budget:ppp0.*daily_kib or monthly_mib/);
  });

  it("reads what the original wrote, two quotes meaning nothing", () => {
    using home = gweHome();
    home.gatewayCfg(
      "[device]\ncik = ''\nmodel = dubhxzv0r4e1m7vj\nvendor = dubhxzv0r4e1m7vj\nuuid = ''\niface = eth0\n",
    );
    const { device } = loadConfig(home.paths);
    expect(device).toMatchObject({
      vendor: "dubhxzv0r4e1m7vj",
      model: "dubhxzv0r4e1m7vj",
      serial: undefined,
      iface: "eth0",
      serverUrl: "https://dubhxzv0r4e1m7vj.m2.exosite.io",
    });
  });

  it.each([
    ["https://abc.m2.exosite.com", "https://abc.m2.exosite.com"],
    ["http://127.0.0.1:8080/", "http://127.0.0.1:8080"],
    ["HTTPS://Murano.Example.com:8443", "https://murano.example.com:8443"],
    ["http://[::1]:9", "http://[::1]:9"],
  ])("takes the server URL %s", (written, expected) => {
    using home = gweHome();
    home.gatewayCfg(`[device]\nserver_url = ${written}\n`);
    expect(loadConfig(home.paths).device.serverUrl).toBe(expected);
  });

  it.each([
    "ftp://x",
    "x.example.com",
    "https://",
    "https://h/path",
    "https://user:pw@h",
    "http://h:99999",
    "http://h?q",
  ])("refuses the server URL %s", (written) => {
    using home = gweHome();
    home.gatewayCfg(`[device]\nserver_url = ${written}\n`);
    expect(() => loadConfig(home.paths)).toThrow(/\[device\] server_url = .*http:\/\/ or https:\/\//);
  });

  it("names all faults at once, each with file, line, key, value and what is allowed", () => {
    using home = gweHome();
    home.gatewayCfg("[device]\nactivation_retry_interval = soon\ngarbage\ncert_file = /a.pem\n");
    home.engineConfig("[engine]\nupdate_interval = 0\ncheck_in = often\ndebug_level = debug\n");
    let caught: unknown;
    try {
      loadConfig(home.paths);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(ConfigError);
    const { faults, message } = caught as ConfigError;
    expect(faults.map(({ key, value, line }) => [key, value, line])).toEqual([
      [undefined, undefined, 3],
      ["activation_retry_interval", "soon", 2],
      ["update_interval", "0", 2],
      ["check_in", "often", 3],
      ["debug_level", "debug", 4],
      ["cert_file", undefined, undefined],
    ]);
    expect(message).toContain(
      `${home.paths.engineConfig}:3: [engine] check_in = "often": expected one of interval, long-poll`,
    );
  });

  it("never shows what stands where the CIK should", () => {
    using home = gweHome();
    home.gatewayCfg(`[device]\ncik = ${"s3cret".repeat(6)}\nstray ${"s3cret".repeat(6)}\n`);
    expect(() => loadConfig(home.paths)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("s3cret") }),
    );
  });

  it("asks for a server URL where the vendor is no host name", () => {
    using home = gweHome();
    home.gatewayCfg("[device]\nvendor = gateway_engine\nmodel = V1\n");
    expect(() => loadConfig(home.paths)).toThrow(/set a server_url/);
  });

  it("is frozen through and through", () => {
    using home = gweHome();
    const config = loadConfig(home.paths);
    expect([config, config.device, config.engine].every(Object.isFrozen)).toBe(true);
  });

  it.each([
    ["update_interval", "1", 1],
    ["update_interval", "2147483", 2_147_483],
    ["installer_output_kib", "64", 64],
    ["disk_reserve_mib", "0", 0],
  ])("takes %s = %s at the edge of its range", (key, value, expected) => {
    using home = gweHome();
    home.engineConfig(`[engine]\n${key} = ${value}\n`);
    expect(Object.values(loadConfig(home.paths).engine)).toContain(expected);
  });

  it.each(["2147484", "1.5", "-1", "1e3", "0x10", "99999999999"])("refuses update_interval = %s", (value) => {
    using home = gweHome();
    home.engineConfig(`[engine]\nupdate_interval = ${value}\n`);
    expect(() => loadConfig(home.paths)).toThrow(ConfigError);
  });
});
