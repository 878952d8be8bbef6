import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { StepFailure } from "../../../src/ota/errors.ts";
import { durableFiles } from "../../../src/platform/durable-files.ts";
import { contentId, DownloadScene, mebibyte, noise } from "../../support/download-scene.ts";

const content = noise(4 * mebibyte);

function withFreeBytes(bytes: number) {
  return { ...durableFiles, freeBytes: async () => bytes };
}

describe("disk space", () => {
  it("is wanted for the package, what it is likely to unpack to, and the reserve, before a byte is fetched", async () => {
    await using scene = await DownloadScene.start(content);
    const limits = { unpackedRatio: 2, reserveBytes: mebibyte };
    await expect(scene.fetch({ files: withFreeBytes(13 * mebibyte - 1), limits })).rejects.toThrow(
      /^not enough disk space: the package has 4194304 bytes and unpacks to about 8388608, 12582911 can be used beside the \d+ that disk_reserve_mib keeps free$/,
    );
    expect(scene.statuses()).toEqual([]);
    await scene.fetch({ files: withFreeBytes(13 * mebibyte), limits });
    expect(scene.fetched.equals(content)).toBe(true);
  });

  it("is not wanted again for what is held already", async () => {
    await using scene = await DownloadScene.start(content);
    await scene.fetchUntil(3 * mebibyte);
    const limits = { unpackedRatio: 2, reserveBytes: 0 };
    await scene.fetch({ files: withFreeBytes(9 * mebibyte), limits });
    expect(scene.fetched.equals(content)).toBe(true);
  });

  // Mounting a file system takes root.
  it.skipIf(process.getuid?.() !== 0)(
    "that somebody else takes meanwhile is given back at once",
    async (context) => {
      await using scene = await DownloadScene.start(content);
      const mount = mkdtempSync(join(tmpdir(), "gwe-small-"));
      onTestFinished(() => rmSync(mount, { recursive: true }));
      try {
        execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m", "gwe-test", mount], { stdio: "pipe" });
      } catch {
        context.skip("mounting is not allowed here");
      }
      onTestFinished(() => void execFileSync("umount", [mount]));
      const file = join(mount, "packages", contentId);
      const error = await scene
        .fetch({ file, files: withFreeBytes(2 ** 40) })
        .catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(StepFailure);
      expect(String(error)).toContain("the package could not be written to disk (ENOSPC)");
      expect(readdirSync(dirname(file))).toEqual([]);
      writeFileSync(join(mount, "journal"), Buffer.alloc(2.5 * mebibyte));
      expect(scene.statuses()).toEqual([200]);
    },
  );
});
