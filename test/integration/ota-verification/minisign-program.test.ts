import { copyFileSync, mkdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parsePublicKey } from "../../../src/ota/verification/minisign-format.ts";
import { makeKeyPair, minisign, signFile } from "../../support/minisign-program.ts";
import { packageVerdict } from "../../support/package-verdict.ts";
import { runCommand } from "../../support/run-command.ts";
import { temporaryDirectory } from "../../support/temp-directory.ts";

const packageFile = "meter.v1.2.3.tar.gz";

/** A vendor's directory with key `a` and a package, and a gateway's key directory beside it. */
function workshop() {
  const vendor = temporaryDirectory();
  const keys = join(vendor, "keys");
  mkdirSync(keys);
  makeKeyPair(vendor, "a");
  const path = join(vendor, packageFile);
  writeFileSync(path, "the package");
  return {
    vendor,
    keys,
    path,
    trust: (name: string) => copyFileSync(join(vendor, `${name}.pub`), join(keys, `${name}.pub`)),
    revoke: (text: string) => writeFileSync(join(keys, "revoked"), text),
    idOf: (name: string) => shownId(join(vendor, `${name}.pub`)),
  };
}

/** The key's id as minisign prints it, in the file's first line. */
function shownId(publicKeyFile: string): string {
  return readFileSync(publicKeyFile, "utf8").split("\n", 1)[0]?.replace(/^.* /, "") ?? "";
}

describe("packages signed by minisign", () => {
  it("are accepted with the key in the key directory", async () => {
    const { vendor, keys, path, trust, idOf } = workshop();
    trust("a");
    signFile(vendor, "a", packageFile);
    expect(await packageVerdict(keys, path)).toBe(`accepted, key ${idOf("a").padStart(16, "0")}`);
  });

  it("are accepted when they are empty, or a block of the hash long", async () => {
    const { vendor, keys, path, trust } = workshop();
    trust("a");
    for (const length of [0, 1, 127, 128, 129, 256 * 1024, 256 * 1024 + 1]) {
      writeFileSync(path, Buffer.alloc(length, "x"));
      signFile(vendor, "a", packageFile);
      expect(await packageVerdict(keys, path), `${length} bytes`).toContain("accepted");
    }
  });

  it("are refused when minisign itself refuses them", async () => {
    const { vendor, keys, path, trust } = workshop();
    trust("a");
    signFile(vendor, "a", packageFile);
    const verify = () => minisign(vendor, "-V", "-p", "a.pub", "-m", packageFile);
    expect(verify()).toContain("Signature and comment signature verified");

    writeFileSync(path, "the package, changed");
    expect(verify).toThrow("Signature verification failed");
    expect(await packageVerdict(keys, path)).toBe("other-file");

    writeFileSync(path, "the package");
    const signature = `${path}.minisig`;
    writeFileSync(signature, readFileSync(signature, "utf8").replace("timestamp:1", "timestamp:2"));
    expect(verify).toThrow("Comment signature verification failed");
    expect(await packageVerdict(keys, path)).toBe("altered");
  });

  it("are refused in the legacy format, which minisign would accept", async () => {
    const { vendor, keys, path, trust } = workshop();
    trust("a");
    signFile(vendor, "a", packageFile, "-l");
    expect(minisign(vendor, "-V", "-p", "a.pub", "-m", packageFile)).toContain("verified");
    expect(await packageVerdict(keys, path)).toBe("legacy");
  });

  it("are refused under another version's name, or with a comment that names none", async () => {
    const { vendor, keys, path, trust } = workshop();
    trust("a");
    signFile(vendor, "a", packageFile);
    const newer = join(vendor, "meter.v2.0.0.tar.gz");
    copyFileSync(path, newer);
    copyFileSync(`${path}.minisig`, `${newer}.minisig`);
    expect(await packageVerdict(keys, newer)).toBe("other-name");

    signFile(vendor, "a", packageFile, "-t", "release 7");
    expect(await packageVerdict(keys, path)).toBe("other-name");
    signFile(vendor, "a", packageFile, "-t", `release 7 file:${packageFile}`);
    expect(await packageVerdict(keys, path)).toContain("accepted");
  });

  it("are named by their own file name wherever they were signed", async () => {
    const { vendor, keys, path, trust } = workshop();
    trust("a");
    minisign("/", "-S", "-s", join(vendor, "a.key"), "-m", path);
    expect(await packageVerdict(keys, path)).toContain("accepted");
  });

  it("are accepted by any of several keys while keys are changed, until one is revoked", async () => {
    const { vendor, keys, path, trust, revoke, idOf } = workshop();
    makeKeyPair(vendor, "b");
    trust("a");
    signFile(vendor, "b", packageFile);
    expect(await packageVerdict(keys, path)).toBe("unknown-key");

    trust("b");
    expect(await packageVerdict(keys, path)).toContain("accepted");
    signFile(vendor, "a", packageFile);
    expect(await packageVerdict(keys, path)).toContain("accepted");

    revoke(`${idOf("a")} 2026-02-01 laptop lost\n`);
    expect(await packageVerdict(keys, path)).toBe("revoked-key");
    signFile(vendor, "b", packageFile);
    expect(await packageVerdict(keys, path)).toContain("accepted");

    revoke(`${idOf("a")}\n${idOf("b")}\n`);
    expect(await packageVerdict(keys, path)).toBe("no-usable-key");
  });

  it("have keys whose id minisign shows without leading zeros", () => {
    const { vendor } = workshop();
    // The id stands at byte 54 of a secret key that has no password.
    const [comment, encoded = ""] = readFileSync(join(vendor, "a.key"), "utf8").split("\n");
    const secret = Buffer.from(encoded, "base64");
    secret.fill(0, 60, 62);
    writeFileSync(join(vendor, "short.key"), `${comment}\n${secret.toString("base64")}\n`);
    minisign(vendor, "-R", "-s", "short.key", "-p", "short.pub");
    const shown = shownId(join(vendor, "short.pub"));
    expect(shown.length).toBeLessThanOrEqual(12);
    expect(parsePublicKey(readFileSync(join(vendor, "short.pub")))).toMatchObject({
      value: { id: shown.padStart(16, "0") },
    });
  });

  it("need a signature as soon as there is a key, and whatever happens to it", async () => {
    const { vendor, keys, path, trust } = workshop();
    expect(await packageVerdict(keys, path)).toBe("accepted, key null");
    expect(await packageVerdict(keys, path, { policy: "always" })).toBe("no-usable-key");
    trust("a");
    expect(await packageVerdict(keys, path)).toBe("missing");
    expect(await packageVerdict(keys, path, { policy: "never" })).toBe("accepted, key null");

    signFile(vendor, "a", packageFile);
    renameSync(join(keys, "a.pub"), join(keys, "a.pub.bak"));
    writeFileSync(join(keys, "a.pub"), "");
    expect(await packageVerdict(keys, path)).toBe("no-usable-key");
    copyFileSync(join(vendor, "a.key"), join(keys, "a.pub"));
    expect(await packageVerdict(keys, path)).toBe("no-usable-key");
  });

  it("are read in bounded memory, however large", async () => {
    const { vendor, keys, path, trust } = workshop();
    trust("a");
    truncateSync(path, 100 * 1024 * 1024);
    signFile(vendor, "a", packageFile);
    const modules = new URL("../../../src/ota/verification/", import.meta.url).href;
    const child = await runCommand(process.execPath, [
      "--input-type=module",
      "-e",
      `
      const { digestPackage } = await import(${JSON.stringify(`${modules}package-digests.ts`)});
      await digestPackage(${JSON.stringify(`${path}.minisig`)});
      const before = process.resourceUsage().maxRSS;
      await digestPackage(${JSON.stringify(path)});
      console.log(process.resourceUsage().maxRSS - before);
      `,
    ]);
    expect(child.stderr).toBe("");
    expect(Number(child.stdout), "KiB of growth").toBeLessThan(8 * 1024);
    expect(await packageVerdict(keys, path)).toContain("accepted");
  });
});
