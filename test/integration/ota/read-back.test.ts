import { execFileSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readBack } from "../../../src/ota/worker/read-back.ts";
import { TreeWriter } from "../../../src/ota/worker/tree-writer.ts";
import { syncFileSystem } from "../../../src/platform/sync-file-system.ts";
import { temporaryDirectory } from "../../support/temp-directory.ts";

const content = Buffer.from("what was in the archive\n".repeat(50_000));

/** A package on disk, synced, as the unpacking worker leaves it before it reads it back. */
async function written(parent = temporaryDirectory()) {
  const into = join(parent, "package");
  const writer = new TreeWriter({
    task: "unpack",
    file: "",
    into,
    maxBytes: 1e9,
    maxMembers: 100,
    maxNameBytes: 1e6,
  });
  writer.begin();
  writer.directory("lib", { mode: 0o750, mtime: undefined });
  writer.openFile("lib/data", content.length, { mode: 0o640, mtime: undefined });
  for (let at = 0; at < content.length; at += 100_000) writer.write(content.subarray(at, at + 100_000));
  writer.closeFile();
  writer.openFile("empty", 0, { mode: 0o755, mtime: undefined });
  writer.closeFile();
  writer.hardLink("again", "lib/data");
  writer.symbolicLink("link", "lib/data");
  await writer.finish({ syncFileSystem });
  return { into, check: () => readBack(into, writer.tree, writer.written) };
}

describe("reading back", () => {
  it("accepts what is as it was written", async () => {
    const { check } = await written();
    await expect(check()).resolves.toBeUndefined();
  });

  it.each<[string, (into: string) => void, RegExp]>([
    [
      "one changed byte",
      (into) => {
        const fd = openSync(join(into, "lib/data"), "r+");
        writeSync(fd, "X", content.length - 1);
        closeSync(fd);
      },
      /"(lib\/data|again)" .* content is another/,
    ],
    ["a lost end", (into) => truncateSync(join(into, "lib/data"), 4096), /size is 4096 instead of 1200000/],
    ["a mode", (into) => chmodSync(join(into, "empty"), 0o644), /"empty" .* mode is 0644 instead of 0755/],
    ["a directory's mode", (into) => chmodSync(join(into, "lib"), 0o777), /"lib" .* 0777 instead of 0750/],
    ["a missing file", (into) => unlinkSync(join(into, "empty")), /entries are 3 instead of 4/],
    ["a file too many", (into) => writeFileSync(join(into, "lib/.x"), ""), /"lib" .* holds "\.x"/],
    [
      "another type",
      (into) => {
        renameSync(join(into, "empty"), join(into, "lib/data2"));
        symlinkSync("lib/data2", join(into, "empty"));
      },
      /"empty" .* no file|holds "data2"/,
    ],
    [
      "a link's target",
      (into) => {
        unlinkSync(join(into, "link"));
        symlinkSync("empty", join(into, "link"));
      },
      /leads to empty instead of lib\/data/,
    ],
  ])("finds %s", async (_, damage, complaint) => {
    const { into, check } = await written();
    damage(into);
    await expect(check()).rejects.toThrow(complaint);
  });

  it("asks the medium, not the kernel's copy of what was just written", async (context) => {
    const directory = mkdtempSync(join(tmpdir(), "gwe-medium-"));
    const image = join(directory, "image");
    const mount = join(directory, "mount");
    writeFileSync(image, "");
    truncateSync(image, 16_000_000);
    try {
      execFileSync("mke2fs", ["-q", "-F", image], { stdio: "pipe" });
      execFileSync("mkdir", [mount]);
      execFileSync("mount", ["-o", "loop", image, mount], { stdio: "pipe" });
    } catch {
      rmSync(directory, { recursive: true });
      context.skip("mounting is not allowed here");
    }
    try {
      const { into, check } = await written(mount);
      await check();
      // Below the file system: the medium forgets a byte, and the kernel does not hear of it.
      const at = readFileSync(image).indexOf("what was in the archive\n".repeat(20));
      expect(at).toBeGreaterThan(0);
      const fd = openSync(image, "r+");
      writeSync(fd, "X", at + 100);
      closeSync(fd);
      expect(readFileSync(join(into, "lib/data")).equals(content)).toBe(true);
      await expect(check()).rejects.toThrow(/content is another/);
    } finally {
      execFileSync("umount", [mount]);
      rmSync(directory, { recursive: true });
    }
  });
});
