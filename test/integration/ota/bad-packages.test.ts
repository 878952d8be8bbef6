import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { otaPlatform } from "../../../src/daemon/platform-ports.ts";
import type { OtaPlatform } from "../../../src/ota/index.ts";
import {
  goodInstallScript,
  goodPackage,
  goodSupervisorConf,
  packageWith,
  type RawMember,
  rawPackage,
  rawTar,
} from "../../support/ota-archives.ts";
import { OtaHarness } from "../../support/ota-harness.ts";

let harness: OtaHarness;

beforeEach(async () => {
  harness = new OtaHarness();
  harness.ota.start();
  await harness.pretendInstalled("meter", "1");
});
afterEach(() => harness.dispose());

/** Installs version 2 over a running version 1 and expects the refusal to change nothing. */
async function expectRefused(content: Buffer, reason: RegExp): Promise<void> {
  const report = await harness.install({ "meter.v2.tar.gz": content });
  expect(report.apps).toMatchObject([{ name: "meter", version: "2", status: "failed" }]);
  expect(report.apps[0]?.output).toMatch(reason);
  expectVersion1Untouched();
}

function expectVersion1Untouched(): void {
  expect(harness.host.installed("meter")?.version).toBe("1");
  expect(harness.host.deployed).toEqual(["meter 1"]);
  expect(harness.versionsOf("meter")).toEqual(["1"]);
  expect(existsSync(join(harness.home, "escaped"))).toBe(false);
  expect(existsSync(join(harness.home, "packages/meter.v2.tar.gz"))).toBe(false);
}

const evil = (...members: readonly RawMember[]): Buffer =>
  rawPackage([goodInstallScript, goodSupervisorConf, ...members]);

describe("an archive", () => {
  it.each([
    ["that is not gzip", Buffer.from("PK\u0003\u0004 a zip, perhaps"), /not a gzip file/],
    ["that is empty", Buffer.alloc(0), /truncated|empty|not a gzip/],
    ["that is a captive portal's page", Buffer.from("<html>log in</html>"), /not a gzip file/],
    ["that is truncated", goodPackage.subarray(0, -20), /truncated/],
    ["that is damaged inside", damaged(goodPackage), /corrupt|not a whole tar|truncated/],
    ["that is gzip but no tar", gzipSync("just text".repeat(500)), /not a whole tar/],
    [
      "that is cut between header and content",
      gzipSync(rawTar([{ name: "a", content: "x".repeat(3000) }]).subarray(0, 1024)),
      /not a whole tar|cut short/,
    ],
    [
      "that is followed by something else",
      Buffer.concat([goodPackage, Buffer.from("--boundary--\r\n")]),
      /after the end of its gzip data/,
    ],
    ["that is compressed twice", gzipSync(goodPackage), /compressed twice/],
    [
      "without install.sh and setup.py",
      rawPackage([goodSupervisorConf]),
      /neither an install\.sh nor a setup\.py/,
    ],
    ["with no members at all", rawPackage([]), /neither an install|not a whole tar/],
    [
      "whose install.sh lacks its x bit",
      rawPackage([{ ...goodInstallScript, mode: 0o644 }, goodSupervisorConf]),
      /not executable: set its x bit/,
    ],
    [
      "whose install.sh has DOS line ends",
      packageWith("#!/bin/sh\r\nexit 0\r\n"),
      /interpreter "\/bin\/sh\\r".*DOS line ends/,
    ],
    [
      "whose supervisor.conf is wrong",
      packageWith("#!/bin/sh\ntouch ../../ran\n", [
        { name: "supervisor.conf", content: "[supervisord]\ncommand=x\nstopsignal=BAD\n" },
      ]),
      /supervisor\.conf line 3: stopsignal/,
    ],
  ])("%s is refused", async (_what, content, reason) => {
    await expectRefused(content, reason);
    expect(existsSync(join(harness.apps, "ran"))).toBe(false);
  });
});

describe("a member", () => {
  it.each<[string, Buffer, RegExp]>([
    ["that climbs", evil({ name: "../../escaped", content: "x" }), /climbs out/],
    ["that climbs from deeper", evil({ name: "a/../../../escaped", content: "x" }), /climbs out/],
    ["with an absolute name", evil({ name: "/tmp/gwe-escaped", content: "x" }), /absolute name/],
    [
      "that is a link to an absolute path",
      evil({ name: "passwd", type: "2", target: "/etc/passwd" }),
      /leads out/,
    ],
    ["that is a link upwards", evil({ name: "up", type: "2", target: "../../.." }), /leads out/],
    [
      "that is written through a link",
      evil({ name: "d", type: "2", target: "../.." }, { name: "d/escaped", content: "x" }),
      /lies below "d", which is a link/,
    ],
    [
      "that is written through a link inside",
      evil(
        { name: "sub", type: "5" },
        { name: "d", type: "2", target: "sub" },
        { name: "d/file", content: "x" },
      ),
      /lies below "d"/,
    ],
    [
      "whose link leads out by way of another link",
      evil({ name: "a/b/up", type: "2", target: "../.." }, { name: "out", type: "2", target: "a/b/up/.." }),
      /leads out/,
    ],
    [
      "whose link leads out only of the wrapping directory",
      rawPackage([
        { ...goodInstallScript, name: "app/install.sh" },
        { name: "app/out", type: "2", target: "../other" },
      ]),
      /leads out/,
    ],
    [
      "that is a link in a circle",
      evil({ name: "x", type: "2", target: "y" }, { name: "y", type: "2", target: "x" }),
      /in circles/,
    ],
    [
      "that is a hard link to outside",
      evil({ name: "shadow", type: "1", target: "/etc/shadow" }),
      /absolute name/,
    ],
    [
      "that is a hard link climbing",
      evil({ name: "other", type: "1", target: "../1/install.sh" }),
      /climbs out/,
    ],
    [
      "that is a hard link through a link",
      evil({ name: "l", type: "2", target: "install.sh" }, { name: "h", type: "1", target: "l" }),
      /no earlier file/,
    ],
    ["that is a hard link to nothing", evil({ name: "h", type: "1", target: "missing" }), /no earlier file/],
    ["that is a character device", evil({ name: "null", type: "3" }), /type CharacterDevice/],
    ["that is a block device", evil({ name: "sda", type: "4" }), /type BlockDevice/],
    ["that is a FIFO", evil({ name: "pipe", type: "6" }), /type FIFO/],
    [
      "that replaces a directory",
      evil({ name: "d/file", content: "x" }, { name: "d", content: "x" }),
      /as a directory and as a file/,
    ],
    ["whose name is no UTF-8", evil({ name: "b\uFFFDd", content: "x" }), /not valid UTF-8/],
    [
      "that is a link to a name that is no UTF-8",
      evil({ name: "l", type: "2", target: "b\uFFFDd" }),
      /link to a name that is not valid UTF-8/,
    ],
    [
      "whose name is longer than Linux can take",
      evil(
        { name: "x", type: "x", content: paxPath("n".repeat(256)) },
        { name: "f", type: "2", target: "install.sh" },
      ),
      /longer than Linux can take/,
    ],
    [
      "that lies absurdly deep",
      evil(
        { name: "a/".repeat(49), type: "5" },
        { name: "x", type: "x", content: paxPath(`${"d/".repeat(200)}f`) },
        { name: "f", content: "x" },
      ),
      /directories deep/,
    ],
    [
      "whose PAX header is a bomb",
      evil({ name: "x", type: "x", content: Buffer.alloc(3 * 1024 * 1024, "a") }, { name: "f" }),
      /header that is longer/,
    ],
    [
      "that claims to be far larger than the archive",
      evil({ name: "big", content: "x", sizeBytes: 0o77777777777 }),
      /not a whole tar|cut short/,
    ],
  ])("%s gets the package refused", async (_what, content, reason) => {
    await expectRefused(content, reason);
  });

  it("that comes twice is there once, as it came last", async () => {
    const script = { name: "install.sh", mode: 0o755, content: "#!/bin/sh\ncat twice\n" };
    const both = rawPackage([
      script,
      { name: "twice", content: "first" },
      { name: "twice", content: "last" },
    ]);
    const report = await harness.install({ "meter.v2.tar.gz": both });
    expect(report.apps[0]).toMatchObject({ status: "installed", output: "last" });
  });

  it("that replaces a link replaces the link itself", async () => {
    const script = { name: "install.sh", mode: 0o755, content: "#!/bin/sh\ncat target\n" };
    const trick = rawPackage([
      script,
      { name: "target", content: "untouched" },
      { name: "link", type: "2", target: "target" },
      { name: "link", content: "through the link" },
    ]);
    const report = await harness.install({ "meter.v2.tar.gz": trick });
    expect(report.apps[0]).toMatchObject({ status: "installed", output: "untouched" });
  });

  it.each([0o700, 0o775, 0o2755])("that is the top itself may have the mode %o", async (mode) => {
    const top = { name: "./", type: "5", mode };
    const report = await harness.install({
      "meter.v2.tar.gz": rawPackage([top, goodInstallScript, goodSupervisorConf]),
    });
    expect(report.apps[0]).toMatchObject({ status: "installed" });
    expect(statSync(join(harness.apps, "meter/2")).mode & 0o7777).toBe(0o755);
  });

  it("loses its setuid bit", async () => {
    const script = { name: "install.sh", mode: 0o755, content: "#!/bin/sh\nls -l tool\n" };
    const report = await harness.install({
      "meter.v2.tar.gz": rawPackage([script, { name: "tool", mode: 0o6755, content: "x" }]),
    });
    expect(report.apps[0]?.output).toMatch(/^-rwxr-xr-x/);
  });
});

describe("size", () => {
  it("more than the free disk when unpacked is refused, nothing left behind", async () => {
    await harness.dispose();
    const reserveBytes = 1024 * 1024;
    harness = new OtaHarness({ platform: withFreeBytes(reserveBytes + 5_000_000), limits: { reserveBytes } });
    harness.ota.start();
    await harness.pretendInstalled("meter", "1");
    const bomb = evil({ name: "zeros", content: Buffer.alloc(40_000_000) });
    expect(bomb.length).toBeLessThan(1_000_000);
    await expectRefused(bomb, /unpacks to more than the free disk space/);
  });

  it("of many small files counts by the blocks they take", async () => {
    await harness.dispose();
    harness = new OtaHarness({ platform: withFreeBytes(4_000_000), limits: { reserveBytes: 0 } });
    harness.ota.start();
    await harness.pretendInstalled("meter", "1");
    const files = Array.from({ length: 2_000 }, (_, index) => ({ name: `f${index}`, content: "x" }));
    await expectRefused(evil(...files), /unpacks to more than the free disk space/);
  });

  it("of the package itself is checked before the download", async () => {
    await harness.dispose();
    harness = new OtaHarness({ platform: withFreeBytes(100), limits: { reserveBytes: 0 } });
    harness.ota.start();
    const report = await harness.install({ "meter.v1.tar.gz": goodPackage });
    expect(report.apps[0]?.output).toMatch(
      /not enough disk space: the package has \d+ bytes and unpacks to about \d+, 100 can be used/,
    );
    expect(harness.content.requests).toEqual(["info meter.v1.tar.gz"]);
  });

  it("in members may reach a hundred thousand", async () => {
    await harness.dispose();
    // In memory: how long a disk takes to create that many files says nothing about the pipeline.
    const home = mkdtempSync("/dev/shm/gwe-ota-");
    harness = new OtaHarness({ platform: withFreeBytes(2 ** 32) }, home);
    harness.ota.start();
    const many = Array.from({ length: 100_000 }, (_, index) => ({ name: `d${index % 50}/f${index}` }));
    const report = await harness.install({ "meter.v2.tar.gz": evil(...many) });
    await harness.ota.stop();
    rmSync(home, { recursive: true });
    expect(report.apps[0]?.status).toBe("installed");
  });

  it("in members is bounded", async () => {
    await harness.dispose();
    harness = new OtaHarness({ limits: { maxMembers: 100 } });
    harness.ota.start();
    await harness.pretendInstalled("meter", "1");
    const many = Array.from({ length: 101 }, (_, index) => ({ name: `f${index}` }));
    await expectRefused(evil(...many), /more than 100 members/);
  });
});

describe("a broken worker", () => {
  it("fails the package, not the engine", async () => {
    await harness.dispose();
    harness = new OtaHarness({ workerFile: "/nonexistent/worker.js" });
    harness.ota.start();
    const report = await harness.install({ "meter.v1.tar.gz": goodPackage });
    expect(report.apps[0]).toMatchObject({
      status: "failed",
      output: expect.stringContaining("could not be read"),
    });
  });
});

function withFreeBytes(bytes: number): OtaPlatform {
  return { ...otaPlatform, files: { ...otaPlatform.files, freeBytes: async () => bytes } };
}

function damaged(content: Buffer): Buffer {
  const copy = Buffer.from(content);
  copy.fill(0xa5, copy.length / 2, copy.length / 2 + 8);
  return copy;
}

function paxPath(path: string): string {
  const record = ` path=${path}\n`;
  const digits = String(record.length + 3).length;
  return `${record.length + digits}${record}`;
}
