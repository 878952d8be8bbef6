import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { FetchStatusApp } from "../../../src/ota/index.ts";
import { makeKeyPair, signFile } from "../../support/minisign-program.ts";
import { packageTarball } from "../../support/package-tarball.ts";
import { temporaryDirectory } from "../../support/temp-directory.ts";
import { Gateway } from "./gateway.ts";
import { longRunning } from "./packages.ts";

/** A vendor with its keys, whose signatures Debian's minisign makes. */
function vendorOf(gateway: Gateway) {
  const directory = temporaryDirectory();
  for (const key of ["trusted", "stranger", "lost"]) makeKeyPair(directory, key);
  return {
    trusts: (...keys: readonly string[]): void => {
      mkdirSync(gateway.engine.paths.keysDir, { recursive: true });
      for (const key of keys) {
        copyFileSync(join(directory, `${key}.pub`), join(gateway.engine.paths.keysDir, `${key}.pub`));
      }
    },
    revoke: (key: string): void => {
      const [line = ""] = readFileSync(join(directory, `${key}.pub`), "utf8").split("\n");
      writeFileSync(join(gateway.engine.paths.keysDir, "revoked"), `${line.replace(/^.* /, "")} lost\n`);
    },
    /** Uploads a version of the app; signed by that key, if one is named. */
    publish: async (version: string, key?: string): Promise<string> => {
      const name = `meter.v${version}.tar.gz`;
      const content = await packageTarball(longRunning(gateway.engine, "meter", version));
      writeFileSync(join(directory, name), content);
      await gateway.upload(name, content);
      if (key !== undefined) {
        signFile(directory, key, name);
        await gateway.upload(`${name}.minisig`, readFileSync(join(directory, `${name}.minisig`)));
      }
      return name;
    },
  };
}

it("an engine with keys installs what a trusted key signed, and tells why it installs nothing else", async () => {
  await using gateway = await Gateway.running();
  const vendor = vendorOf(gateway);
  vendor.trusts("trusted", "lost");
  vendor.revoke("lost");
  const packages = [
    await vendor.publish("1", "trusted"),
    await vendor.publish("2"),
    await vendor.publish("3", "stranger"),
    await vendor.publish("4", "lost"),
  ];

  const apps = await gateway.install(...packages);

  const refused = (version: string, reason: RegExp): Partial<FetchStatusApp> =>
    expect.objectContaining({
      version,
      status: "failed",
      exit_code: null,
      output: expect.stringMatching(reason),
    });
  expect(apps).toEqual([
    expect.objectContaining({ version: "1", status: "installed", output: "installing meter 1\n" }),
    refused("2", /^gwe: a signature is required, and there is none/),
    refused("3", /^gwe: the signature is by key [0-9A-F]+, which this gateway does not trust/),
    refused("4", /^gwe: the signature is by key [0-9A-F]+, which is revoked/),
  ]);
  expect(readdirSync(join(gateway.engine.paths.appsDir, "meter"))).toEqual(["1"]);
  expect(readdirSync(gateway.engine.paths.packagesDir)).toEqual([]);
  await gateway.engine.running("meter", "1");
  const unpacked = [...gateway.engine.output.matchAll(/to=unpacking verb=install version=(\S+)/g)];
  expect(unpacked.map(([, version]) => version)).toEqual(["1"]);
});
