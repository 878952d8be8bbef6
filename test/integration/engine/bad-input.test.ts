import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FetchStatusApp } from "../../../src/ota/index.ts";
import { processStartTicks } from "../../../src/platform/process-table.ts";
import { eventually } from "../../support/engine-process.ts";
import {
  goodInstallScript,
  goodPackage,
  goodSupervisorConf,
  packageWith,
  type RawMember,
  rawPackage,
} from "../../support/ota-archives.ts";
import { Gateway } from "./gateway.ts";
import { longRunning } from "./packages.ts";

// One engine takes it all, one after the other: what is bad must not spoil what comes after it.
let gateway: Gateway;
let meterPid: number;

beforeAll(async () => {
  gateway = await Gateway.running({ engineConfig: ["check_in = long-poll", "installer_timeout = 10"] });
  await gateway.upload("meter.v1.tar.gz", longRunning(gateway.engine, "meter", "1"));
  await gateway.install("meter.v1.tar.gz");
  meterPid = (await gateway.engine.running("meter", "1")).pid;
});

afterAll(() => gateway?.[Symbol.asyncDispose]());

/** The engine that has been there all the time, and version 1 as it was, with nothing of version 2 about. */
async function expectVersion1Untouched(): Promise<void> {
  const { engine } = gateway;
  expect(await engine.running("meter")).toMatchObject({ version: "1", pid: meterPid, restarts: 0 });
  // The result is told first, and what failed cleared away then.
  const versions = (): number => readdirSync(join(engine.paths.appsDir, "meter")).length;
  await eventually("version 1 alone", () => versions() === 1);
  expect(readdirSync(engine.paths.packagesDir)).toEqual([]);
  expect(existsSync(join(engine.paths.libDir, "escaped"))).toBe(false);
  expect(existsSync(join(engine.home, "escaped"))).toBe(false);
  expect(engine.output).not.toContain("unexpected error");
}

describe("engine_fetch", () => {
  test.each([
    ["is not JSON", "install meter please", /not JSON/],
    [
      "is of the wrong shape",
      '{"install":"meter.v1.tar.gz"}',
      /"install" is a JSON string instead of a list/,
    ],
    ["is empty of commands", "{}", /nothing to do: no package/],
    [
      "holds more than can be reported",
      JSON.stringify({ install: Array(5000).fill({}) }),
      /has 5000 entries/,
    ],
  ])("that %s is cleared and reported with what was expected", async (_what, text, complaint) => {
    const before = (await gateway.results()).length;
    await gateway.write(text);
    const report = await eventually("a report", async () => (await gateway.results())[before]);
    expect(report.error).toMatch(complaint);
    expect(report.expected).toContain('{"install":[{"name":"<app>.v<version>.tar.gz"}]}');
    expect(await gateway.device.latest("engine_fetch")).toBe("");
  });

  test("that names what is not there, or cannot be a package, does the rest", async () => {
    await gateway.upload("fine.v1.tar.gz", packageWith("#!/bin/sh\necho fine\n", []));
    const id = await gateway.order(
      "missing.v1.tar.gz",
      "../../etc/passwd",
      "noversion.tar.gz",
      "meter.v1.zip",
      "meter.v../../x.tar.gz",
      "fine.v1.tar.gz",
    );
    const { apps } = await gateway.result(id);
    expect(apps.map(({ status }) => status)).toEqual([...Array(5).fill("failed"), "installed"]);
    expect(apps.map(({ output }) => output)).toEqual([
      'gwe: Murano has no content "missing.v1.tar.gz" for this product (404)\n',
      'gwe: bad package name "../../etc/passwd": expected <APP_NAME>.v<VERSION>.tar.gz\n',
      "gwe: bad package name \"noversion.tar.gz\": no '.v' before the version\n",
      'gwe: bad package name "meter.v1.zip": expected <APP_NAME>.v<VERSION>.tar.gz\n',
      expect.stringMatching(/the version must be 1 to 100 letters/),
      "fine\n",
    ]);
    await expectVersion1Untouched();
  });

  test("that names a hundred apps is worked through", async () => {
    const names = Array.from({ length: 100 }, (_, n) => `swarm${n}.v1.tar.gz`);
    // Three that are there, between ninety-seven that are not.
    for (const n of [0, 50, 99]) {
      await gateway.upload(`swarm${n}.v1.tar.gz`, packageWith(`#!/bin/sh\necho ${n}\n`, []));
    }
    const { apps } = await gateway.result(await gateway.order(...names));
    expect(apps.map(({ name }) => `${name}.v1.tar.gz`)).toEqual(names);
    expect(apps.filter(({ status }) => status === "installed").map(({ output }) => output)).toEqual([
      "0\n",
      "50\n",
      "99\n",
    ]);
    await expectVersion1Untouched();
  });
});

interface BadPackage {
  readonly what: string;
  readonly blob: Uint8Array;
  readonly told: Partial<Record<keyof FetchStatusApp, unknown>>;
}

const evil = (...members: readonly RawMember[]): Uint8Array =>
  rawPackage([goodInstallScript, goodSupervisorConf, ...members]);
const refusal = (reason: RegExp): BadPackage["told"] => ({
  status: "failed",
  exit_code: null,
  output: expect.stringMatching(reason),
});

const badPackages: readonly BadPackage[] = [
  { what: "no gzip", blob: Buffer.from("PK a zip, perhaps"), told: refusal(/not a gzip file/) },
  { what: "nothing", blob: Buffer.alloc(0), told: refusal(/truncated|empty|not a gzip/) },
  { what: "truncated", blob: goodPackage.subarray(0, -20), told: refusal(/truncated/) },
  { what: "no tar", blob: gzipSync("just text".repeat(500)), told: refusal(/not a whole tar/) },
  {
    what: "without install.sh and setup.py",
    blob: rawPackage([goodSupervisorConf]),
    told: refusal(/neither an install\.sh nor a setup\.py/),
  },
  {
    what: "climbing",
    blob: evil({ name: "../../../escaped", content: "x" }),
    told: refusal(/climbs out/),
  },
  {
    what: "written through a link",
    blob: evil({ name: "d", type: "2", target: "../../.." }, { name: "d/escaped", content: "x" }),
    told: refusal(/link/),
  },
  {
    what: "a link that leads out",
    blob: evil({ name: "passwd", type: "2", target: "/etc/passwd" }),
    told: refusal(/leads out/),
  },
  { what: "a device node", blob: evil({ name: "null", type: "3" }), told: refusal(/CharacterDevice/) },
  {
    what: "install.sh without its x bit",
    blob: rawPackage([{ ...goodInstallScript, mode: 0o644 }, goodSupervisorConf]),
    told: refusal(/not executable: set its x bit/),
  },
  {
    what: "a supervisor.conf that is wrong",
    blob: packageWith(goodInstallScript.content?.toString() ?? "", [
      { name: "supervisor.conf", content: "[supervisord]\ncommand=x\nstopsignal=NICELY\n" },
    ]),
    told: refusal(/supervisor\.conf line 3: stopsignal.*NICELY/),
  },
  {
    what: "install.sh fails",
    blob: packageWith("#!/bin/sh\necho out\necho err >&2\nexit 7\n"),
    told: {
      // What the new installer may have overwritten is put back by the old one; version 1 itself was never stopped.
      status: "rolled-back",
      exit_code: 7,
      output:
        "out\nerr\ngwe: install.sh of version 1, to put it back:\ninstalling meter 1\n" +
        "gwe: install.sh ended with exit status 7; version 1 runs on\n",
    },
  },
  {
    what: "install.sh hangs",
    blob: packageWith("#!/bin/sh\necho waiting\nsleep 300\n"),
    told: {
      status: "rolled-back",
      exit_code: null,
      output:
        "waiting\ngwe: install.sh of version 1, to put it back:\ninstalling meter 1\n" +
        "gwe: install.sh did not end within 10 seconds and was ended with all its children; version 1 runs on\n",
    },
  },
];

test("bad packages: each is refused with its reason, and version 1 runs on", async () => {
  const names = badPackages.map((_, n) => `meter.v2-${n}.tar.gz`);
  for (const [n, { blob }] of badPackages.entries()) await gateway.upload(names[n] ?? "", blob);
  const { apps } = await gateway.result(await gateway.order(...names));
  // Beside its name, so that a failure tells which.
  expect(apps.map((app, n) => ({ what: badPackages[n]?.what, ...app }))).toMatchObject(
    badPackages.map(({ what, told }) => ({ what, name: "meter", ...told })),
  );
  await expectVersion1Untouched();
});

test("installers that only misbehave are installed, and told of in what Murano can hold", async () => {
  const packages: Readonly<Record<string, string>> = {
    "loud.v1.tar.gz": "head -c 20000000 /dev/zero | tr '\\0' 'x'\necho\necho the end",
    "binary.v1.tar.gz": "printf '\\377\\000caf\\303\\251\\n'",
    "holding.v1.tar.gz": "sleep 300 &\necho $!",
  };
  for (const [id, script] of Object.entries(packages)) {
    await gateway.upload(id, packageWith(`#!/bin/sh\n${script}\n`, []));
  }
  const { apps } = await gateway.result(await gateway.order(...Object.keys(packages)));
  const [loud, binary, holding] = apps;
  expect(apps.map(({ status }) => status)).toEqual(["installed", "installed", "installed"]);
  expect(loud?.output.endsWith("x\nthe end\n")).toBe(true);
  expect((loud?.output_cut ?? 0) + Buffer.byteLength(loud?.output ?? "")).toBe(20_000_009);
  expect(binary?.output).toBe("\uFFFD\uFFFDcafé\n");
  const child = Number(holding?.output);
  expect(processStartTicks(child)).toBeDefined();
  process.kill(child, "SIGKILL");
  await expectVersion1Untouched();
});

test("after all that, a good package is installed as ever", async () => {
  await gateway.upload("meter.v3.tar.gz", longRunning(gateway.engine, "meter", "3"));
  const { apps } = await gateway.result(await gateway.order("meter.v3.tar.gz"));
  expect(apps).toMatchObject([{ name: "meter", version: "3", status: "installed" }]);
  await gateway.engine.running("meter", "3");
});
