import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadTrustedKeys } from "../../../src/ota/verification/key-directory.ts";
import { digestPackage } from "../../../src/ota/verification/package-digests.ts";
import { readSignatureFile } from "../../../src/ota/verification/signature-file.ts";
import { MinisignSigner } from "../../support/minisign-signer.ts";
import { temporaryDirectory } from "../../support/temp-directory.ts";

const signer = new MinisignSigner();

function keyDirectory(): string {
  const directory = join(temporaryDirectory(), "keys");
  mkdirSync(directory);
  chmodSync(directory, 0o755);
  writeFileSync(join(directory, "good.pub"), signer.publicKeyText, { mode: 0o644 });
  return directory;
}

describe("the key directory on disk", () => {
  it("may be missing: no keys are in use then", async () => {
    expect(await loadTrustedKeys(join(temporaryDirectory(), "keys"))).toMatchObject({
      isConfigured: false,
      keys: [],
      problems: [],
    });
  });

  it("gives the keys in it, through links too, and nothing else", async () => {
    const directory = keyDirectory();
    symlinkSync("good.pub", join(directory, "link.pub"));
    writeFileSync(join(directory, "README"), "keys of the vendor");
    writeFileSync(join(directory, ".good.pub.swp"), "b0VIM");
    const { keys, problems } = await loadTrustedKeys(directory);
    expect(keys.map(({ file }) => file)).toEqual(["good.pub", "link.pub"]);
    expect(problems).toEqual([]);
  });

  it("names what cannot be used, without waiting for it, and uses the rest", async () => {
    const directory = keyDirectory();
    mkdirSync(join(directory, "directory.pub"));
    symlinkSync("nowhere", join(directory, "dangling.pub"));
    expect(spawnSync("mkfifo", [join(directory, "fifo.pub")]).status).toBe(0);
    writeFileSync(join(directory, "huge.pub"), "x".repeat(1_000_000));
    writeFileSync(join(directory, "open.pub"), signer.publicKeyText);
    chmodSync(join(directory, "open.pub"), 0o666);
    const { keys, problems, isConfigured } = await loadTrustedKeys(directory);
    expect(isConfigured).toBe(true);
    expect(keys.map(({ file }) => file)).toEqual(["good.pub"]);
    expect(problems).toEqual([
      expect.stringMatching(/^dangling\.pub: cannot be read: ENOENT/),
      expect.stringMatching(/^directory\.pub: cannot be read: not a regular file/),
      expect.stringMatching(/^fifo\.pub: cannot be read: not a regular file/),
      expect.stringMatching(/^huge\.pub: longer than/),
      expect.stringMatching(/^open\.pub: everybody may write to it/),
    ]);
  });

  it("never looks like no keys when it cannot be read or trusted", async () => {
    const file = join(temporaryDirectory(), "keys");
    writeFileSync(file, "");
    const open = keyDirectory();
    chmodSync(open, 0o777);
    for (const [directory, problem] of [
      [file, "ENOTDIR"],
      [open, "everybody may write to it"],
    ] as const) {
      expect(await loadTrustedKeys(directory)).toMatchObject({
        isConfigured: true,
        keys: [],
        problems: [expect.stringContaining(problem)],
      });
    }
  });

  it("is not trusted when the revocation list cannot be read", async () => {
    const directory = keyDirectory();
    mkdirSync(join(directory, "revoked"));
    expect((await loadTrustedKeys(directory)).revocationProblem).toContain("not a regular file");
  });
});

describe("a signature file", () => {
  it("may be missing, and is never read beyond its bound", async () => {
    const path = join(temporaryDirectory(), "meter.v1.tar.gz.minisig");
    expect(await readSignatureFile(path)).toEqual({ kind: "none", lookedFor: `no file ${path}` });
    writeFileSync(path, Buffer.alloc(5_000_000));
    const answer = await readSignatureFile(path);
    expect(answer.kind === "found" && answer.bytes.length).toBe(16_385);
  });

  it("that is something else is an error, not an absence", async () => {
    await expect(readSignatureFile(temporaryDirectory())).rejects.toMatchObject({ code: "OTA_NOT_A_FILE" });
  });
});

describe("a package's digests", () => {
  it("are those of the whole file", async () => {
    const path = join(temporaryDirectory(), "package");
    const content = Buffer.alloc(700_001, "package");
    writeFileSync(path, content);
    expect(await digestPackage(path)).toEqual({
      sha256: createHash("sha256").update(content).digest("hex"),
      blake2b512: createHash("blake2b512").update(content).digest(),
    });
  });

  it("are given up when the work is cancelled", async () => {
    const path = join(temporaryDirectory(), "package");
    writeFileSync(path, "x");
    await expect(digestPackage(path, AbortSignal.abort("stopping"))).rejects.toBe("stopping");
  });
});
