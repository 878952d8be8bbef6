import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";
import { PackageRefusedError } from "../../../src/ota/worker/errors.ts";
import { unpackPackage } from "../../../src/ota/worker/unpack.ts";
import { syncFileSystem } from "../../../src/platform/sync-file-system.ts";
import { goodInstallScript, goodSupervisorConf, type RawMember, rawTar } from "../../support/ota-archives.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "gwe-mutated-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const name = fc.constantFrom("a", "a/b", "a/b/c", "l", "l/x", "../x", "/tmp/gwe-x", "install.sh", "./", "b/");
const member: fc.Arbitrary<RawMember> = fc.record({
  name,
  type: fc.constantFrom("0", "0", "1", "2", "5", "6", "x", "g", "L", "K", "S", "\0", "7"),
  target: fc.constantFrom("", "a", "..", "../..", "/etc", "l", "a/b"),
  mode: fc.nat(0o7777),
  content: fc.constantFrom("", "x", "17 path=../../pax\n", "x".repeat(1_000)),
});

const archive = fc
  .tuple(
    fc.array(member, { maxLength: 8 }),
    fc.array(fc.tuple(fc.nat(8_000), fc.nat(255)), { maxLength: 4 }),
    fc.option(fc.nat(6_000)),
  )
  .map(([members, damages, cut]) => {
    const tar = rawTar([goodInstallScript, goodSupervisorConf, ...members]);
    for (const [at, byte] of damages) if (at < tar.length) tar[at] = byte;
    return gzipSync(cut === null ? tar : tar.subarray(0, cut), { level: 1 });
  });

it("any archive is unpacked inside its directory or refused, and nothing else is touched", async () => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(archive, async (content) => {
      const home = join(directory, String(runs++));
      const into = join(home, "apps/meter/new");
      mkdirSync(join(home, "apps/meter"), { recursive: true });
      const file = join(home, "package");
      writeFileSync(file, content);
      const limits = { maxBytes: 10_000_000, maxMembers: 1_000, maxNameBytes: 100_000 };
      try {
        await unpackPackage({ task: "unpack", file, into, ...limits }, { syncFileSystem });
        expectSafe(into);
      } catch (error) {
        if (!(error instanceof PackageRefusedError)) throw error;
      }
      expect(readdirSync(home).sort()).toEqual(["apps", "package"]);
      expect(readdirSync(join(home, "apps"))).toEqual(["meter"]);
      expect(readdirSync(join(home, "apps/meter"))).toEqual(["new"]);
      rmSync(home, { recursive: true });
    }),
    { numRuns: 400, seed: 20_260_301 },
  );
});

/** Only files, directories and links, none with special bits. */
function expectSafe(root: string): void {
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const stats = lstatSync(join(entry.parentPath, entry.name));
    expect(stats.isFile() || stats.isDirectory() || stats.isSymbolicLink()).toBe(true);
    expect(stats.isSymbolicLink() || (stats.mode & 0o7000) === 0).toBe(true);
  }
}
