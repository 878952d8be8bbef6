import { readdirSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { constants, deflateRawSync } from "node:zlib";
import { expect, it } from "vitest";
import { goodInstallScript, goodSupervisorConf, rawTar } from "../../support/ota-archives.ts";
import { OtaHarness } from "../../support/ota-harness.ts";
import { SmallDisk } from "../../support/small-disk.ts";

const mebibyte = 1024 * 1024;
const tenGigabytes = 10_000 * mebibyte;

/** A gzip file that begins with `start` and goes on with that many zeros, made from one compressed MiB of them. */
function gzipOfZeros(start: Buffer, zeros: number): Buffer {
  const flush = { finishFlush: constants.Z_FULL_FLUSH, level: 9 };
  const piece = deflateRawSync(Buffer.alloc(mebibyte), flush);
  const pieces = Array.from({ length: zeros / mebibyte }, () => piece);
  // The check sum at its end is none: whoever gets that far has unpacked it all.
  const head = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
  return Buffer.concat([
    head,
    deflateRawSync(start, flush),
    ...pieces,
    deflateRawSync(Buffer.alloc(1024)),
    Buffer.alloc(8),
  ]);
}

const files = rawTar([goodInstallScript, goodSupervisorConf]).subarray(0, -1024);

/** As GNU tar writes sizes that eight octal digits do not hold. */
function headerOf(sizeBytes: number): Buffer {
  const header = rawTar([{ name: "zeros" }]).subarray(0, 512);
  header.fill(0, 124, 136);
  header[124] = 0x80;
  header.writeBigUInt64BE(BigInt(sizeBytes), 128);
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

// Mounting a file system takes root.
it.skipIf(process.getuid?.() !== 0).each([
  [
    "10 GB in one member",
    gzipOfZeros(Buffer.concat([files, headerOf(tenGigabytes)]), tenGigabytes),
    /unpacks to more than the free disk space/,
  ],
  [
    "10 GB behind the end of the archive",
    gzipOfZeros(Buffer.concat([files, Buffer.alloc(1024)]), tenGigabytes),
    /goes on after the end of its archive/,
  ],
])("a gzip bomb of %s is refused before it fills the disk", async (_what, bomb, reason) => {
  expect(bomb.length).toBeLessThan(12_000_000);
  using disk = SmallDisk.make(96);
  if (disk === undefined) return;
  const reserveBytes = 8 * mebibyte;
  const harness = new OtaHarness({ limits: { reserveBytes } }, join(disk.mount, "home"));
  let leastFree = Number.POSITIVE_INFINITY;
  const looking = setInterval(() => {
    const { bavail, bsize } = statfsSync(disk.mount);
    leastFree = Math.min(leastFree, bavail * bsize);
  }, 5);
  try {
    harness.ota.start();
    await harness.pretendInstalled("meter", "1");
    const report = await harness.install({ "meter.v2.tar.gz": bomb });
    expect(report.apps[0]).toMatchObject({ status: "failed", output: expect.stringMatching(reason) });
    expect(harness.versionsOf("meter")).toEqual(["1"]);
    expect(readdirSync(join(harness.home, "packages"))).toEqual([]);
    // Beside what counts as the package's, directories and the journal take a little.
    expect(leastFree).toBeGreaterThan(reserveBytes - mebibyte);
  } finally {
    clearInterval(looking);
    await harness.dispose();
  }
});
