import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { DeviceSettings, OpenDevice } from "../../../src/cli/device.ts";
import { CommandError, UsageError } from "../../../src/cli/errors.ts";
import { exitStatusOf } from "../../../src/cli/exit-status.ts";
import { runGdc } from "../../../src/cli/gdc-command.ts";
import { NetworkError, RejectedError, UnauthorizedError } from "../../../src/device-client/index.ts";
import { type GweHome, gweHome } from "../../support/gwe-home.ts";

const cik = "3803226073f6f2feb51a9010bd1d3e53143214a7";
const other = "B".repeat(40);

/** Runs `gdc` against a Murano that holds these values. */
async function gdc(home: GweHome, argv: readonly string[], env: Record<string, string> = {}) {
  const murano = new Map([
    ["temperature", "21.5"],
    ["text", "a=b&c\nd"],
  ]);
  let out = "";
  const opened: DeviceSettings[] = [];
  const written: Readonly<Record<string, string>>[] = [];
  let closed = 0;
  const api: Pick<OpenDevice["api"], "write" | "read"> = {
    write: async (values) => {
      written.push(values);
      return { serverTimeMs: undefined };
    },
    read: async (aliases) => ({
      serverTimeMs: undefined,
      values: new Map([...murano].filter(([alias]) => aliases.includes(alias))),
    }),
  };
  const status = await runGdc(argv, {
    paths: home.paths,
    terminal: {
      env,
      write: async (data) => {
        out += data.toString();
      },
      note: () => undefined,
      prompt: () => undefined,
      columns: undefined,
      isTty: false,
      readStdin: async () => "",
      lines: async function* () {
        yield* [];
      },
    },
    connect: async (settings) => {
      opened.push(settings);
      return {
        api: api as OpenDevice["api"],
        close: async () => {
          closed += 1;
        },
      };
    },
  });
  expect(closed).toBe(opened.length);
  return { status, out, settings: opened[0], written };
}

function configured(): GweHome {
  const home = gweHome();
  home.gatewayCfg("[device]\nvendor = abc\nmodel = abc\n");
  return home;
}

describe("gdc write", () => {
  it.each(["5", "-5", "--url", "", "a=b&c\nü", "write"])("writes %j as it is", async (value) => {
    using home = configured();
    const { status, out, written, settings } = await gdc(home, ["write", cik, "alias", value]);
    expect({ status, out, written }).toEqual({ status: 0, out: "", written: [{ alias: value }] });
    expect(settings).toMatchObject({
      baseUrl: "https://abc.m2.exosite.io",
      cik,
      clientCertificate: undefined,
    });
  });

  it("takes the CIK from the environment, or is the gateway itself", async () => {
    using home = configured();
    const fromEnvironment = await gdc(home, ["write", "alias", "1"], { GWE_CIK: other });
    expect(fromEnvironment).toMatchObject({ settings: { cik: other }, written: [{ alias: "1" }] });
    const stated = await gdc(home, ["write", cik, "alias", "1"], { GWE_CIK: other });
    expect(stated.settings?.cik).toBe(cik);
    home.gatewayCfg(`[device]\nvendor = abc\nmodel = abc\ncik = ${cik}\n`);
    for (const argv of [
      ["write", "--gateway", "a", "-1"],
      ["-g", "write", "a", "-1"],
    ]) {
      expect(await gdc(home, argv)).toMatchObject({ settings: { cik }, written: [{ a: "-1" }] });
    }
  });

  it("speaks to the configured server, or to another one when told", async () => {
    using home = configured();
    home.gatewayCfg("[device]\nserver_url = http://10.0.0.1:8080\n");
    expect((await gdc(home, ["read", cik, "a"])).settings?.baseUrl).toBe("http://10.0.0.1:8080");
    for (const argv of [
      ["read", "--url", "http://h:1", cik, "a"],
      ["--url=http://h:1", "read", cik, "a"],
    ]) {
      expect((await gdc(home, argv)).settings?.baseUrl).toBe("http://h:1");
    }
  });

  it("reads certificates for the client", async () => {
    using home = configured();
    const file = (name: string): string => {
      const path = join(home.home, name);
      writeFileSync(path, name);
      return path;
    };
    home.gatewayCfg(
      `[device]\nvendor = abc\ncik = ${cik}\nca_file = ${file("ca")}\ncert_file = ${file("cert")}\nkey_file = ${file("key")}\n`,
    );
    expect((await gdc(home, ["read", cik, "a"])).settings).toMatchObject({
      ca: "ca",
      clientCertificate: undefined,
    });
    expect((await gdc(home, ["read", "-g", "a"])).settings).toMatchObject({
      ca: "ca",
      clientCertificate: { cert: "cert", key: "key" },
    });
    home.gatewayCfg(`[device]\nvendor = abc\ncert_file = ${file("cert")}\nkey_file = ${file("key")}\n`);
    expect((await gdc(home, ["read", "-g", "a"])).settings).toMatchObject({ cik: undefined });
  });

  it.each([
    [["write", "''", "a", "1"], CommandError, "not activated yet"],
    [["write", "", "a", "1"], CommandError, "not activated yet"],
    [["write", "-g", "a", "1"], CommandError, "not activated yet"],
    [["write", "short", "a", "1"], UsageError, "40 letters and digits"],
    [["write", cik, "a"], UsageError, "usage: gdc write"],
    [["write", cik, "a", "1", "2"], UsageError, "usage: gdc write"],
    [["read", cik], UsageError, "usage: gdc read"],
    [["wirte", cik, "a", "1"], UsageError, "did you mean 'write'?"],
    [["--gatway", "read", "a"], UsageError, "did you mean --gateway?"],
    [["write", "--url", "murano.example.com", cik, "a", "1"], UsageError, "http:// or https://"],
    [[cik, "write", "a", "1"], UsageError, "'write' comes first"],
    [[], UsageError, "-h explains"],
  ])("refuses %j", async (argv, kind, message) => {
    using home = configured();
    await expect(gdc(home, argv)).rejects.toThrow(kind);
    await expect(gdc(home, argv)).rejects.toThrow(message);
  });

  it("asks for a server when none is known", async () => {
    using home = gweHome();
    await expect(gdc(home, ["read", cik, "a"])).rejects.toThrow(/--set-product-id.*--url/);
  });
});

describe("gdc read", () => {
  it("prints one value alone, several with their aliases, missing ones not at all", async () => {
    using home = configured();
    expect((await gdc(home, ["read", cik, "temperature"])).out).toBe("21.5\n");
    expect((await gdc(home, ["read", cik, "text"])).out).toBe("a=b&c\nd\n");
    expect((await gdc(home, ["read", cik, "nothing"])).out).toBe("");
    expect((await gdc(home, ["read", cik, "temperature", "nothing", "text", "text"])).out).toBe(
      "temperature=21.5\ntext=a=b&c\nd\n",
    );
  });
});

describe("exit status", () => {
  it.each([
    [new UsageError("x"), 2],
    [new CommandError("x"), 1],
    [new UnauthorizedError("x", { procedure: "write" }), 6],
    [new NetworkError("x", { procedure: "write", requestSent: false }), 5],
    [new RejectedError("x", { procedure: "write", status: 400 }), 1],
    [new TypeError("a bug"), 1],
  ])("of %s", (error, status) => {
    expect(exitStatusOf(error)).toBe(status);
  });
});
