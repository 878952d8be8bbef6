import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/core/logger.ts";
import { otaPlatform } from "../../../src/daemon/platform-ports.ts";
import { systemClock } from "../../../src/platform/system-clock.ts";
import { goodInstallScript, goodPackage, rawPackage } from "../../support/ota-archives.ts";
import { OtaHarness } from "../../support/ota-harness.ts";

const bigPackage = rawPackage([goodInstallScript, { name: "zeros", content: Buffer.alloc(60_000_000) }]);

// Mounting a file system takes root; elsewhere the bounds are tested with a stated amount of free space.
describe.skipIf(process.getuid?.() !== 0)("a small disk", () => {
  let mount: string;
  let harness: OtaHarness;

  beforeEach((context) => {
    mount = mkdtempSync(join(tmpdir(), "gwe-disk-"));
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m", "gwe-test", mount], { stdio: "pipe" });
    } catch {
      rmSync(mount, { recursive: true });
      context.skip("mounting is not allowed here");
    }
  });
  afterEach(async () => {
    await harness.dispose();
    execFileSync("umount", [mount]);
    rmSync(mount, { recursive: true });
  });

  it("is not filled by a package that unpacks to more", async () => {
    harness = new OtaHarness({ limits: { reserveBytes: 4_000_000 } }, join(mount, "home"));
    harness.ota.start();
    await harness.pretendInstalled("meter", "1");
    const report = await harness.install({ "meter.v2.tar.gz": bigPackage });
    expect(report.apps[0]).toMatchObject({
      status: "failed",
      output: expect.stringContaining("unpacks to more than the free disk space"),
    });
    expect(harness.versionsOf("meter")).toEqual(["1"]);
    expect(harness.host.installed("meter")?.version).toBe("1");
  });

  it("that is full all the same leaves the engine alive and nothing half-installed", async () => {
    // Somebody else took the space after it was checked.
    const platform = { ...otaPlatform, files: { ...otaPlatform.files, freeBytes: async () => 2 ** 40 } };
    harness = new OtaHarness({ platform }, join(mount, "home"));
    harness.ota.start();
    await harness.pretendInstalled("meter", "1");
    const report = await harness.install({ "meter.v2.tar.gz": bigPackage });
    expect(report.apps[0]).toMatchObject({ status: "failed", output: expect.stringContaining("ENOSPC") });
    expect(harness.versionsOf("meter")).toEqual(["1"]);
    expect(readdirSync(join(harness.home, "packages"))).toEqual([]);
    expect((await harness.install({ "meter.v3.tar.gz": goodPackage })).apps[0]?.status).toBe("installed");
  });
});

describe("a disk in trouble while the earlier version is put back", () => {
  it.each(["SQLITE_FULL", "SQLITE_IOERR_FSYNC", "EIO", "ENOSPC"])(
    "(%s) is waited out: the version that failed must not stay for that",
    async (code) => {
      // Pauses take no time; what bounds a script is none.
      const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
        systemClock.sleep(ms > 60_000 ? ms : Math.min(ms, 5), signal);
      const clock = { ...systemClock, sleep };
      const harness = new OtaHarness({ clock });
      try {
        await harness.pretendKept("meter", "1", { "install.sh": "" });
        harness.host.versionStates.set("2", "FATAL");
        const deploy = harness.host.deploy.bind(harness.host);
        let refusals = 0;
        harness.host.deploy = async (app) => {
          if (app.version === "1" && refusals++ < 2) throw Object.assign(new TypeError("no"), { code });
          await deploy(app);
        };
        harness.ota.start();
        const report = await harness.install({ "meter.v2.tar.gz": goodPackage });
        expect(report.apps).toMatchObject([
          { status: "rolled-back", output: expect.stringContaining("FATAL") },
        ]);
        expect(harness.host.installed("meter")?.version).toBe("1");
        expect(refusals).toBe(3);
      } finally {
        await harness.dispose();
      }
    },
  );
});

describe("a journal that cannot be written", () => {
  it("stops the work and goes on from where it was when it can be written again", async () => {
    let complaints = 0;
    const logger = { ...silentLogger, error: () => void complaints++ };
    const harness = new OtaHarness({ logger });
    try {
      harness.db.exec(
        "CREATE TRIGGER refuse BEFORE UPDATE ON ota_jobs WHEN new.state LIKE '%activating%' BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END",
      );
      harness.content.files.set("meter.v2.tar.gz", goodPackage);
      const sent = harness.send({ install: [{ name: "meter.v2.tar.gz" }] });
      harness.ota.start();
      await expect.poll(() => complaints).toBe(1);
      expect(harness.ota.jobs()).toMatchObject([{ state: "installing" }]);
      expect(harness.reports()).toEqual([]);
      harness.db.exec("DROP TRIGGER refuse");
      await sent;
      expect(harness.reports()[0]?.apps[0]?.status).toBe("installed");
      expect(harness.host.installed("meter")?.version).toBe("2");
    } finally {
      await harness.dispose();
    }
  });
});
