import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { digestInMeta } from "../../../src/core/content-digest.ts";
import { digestPackage } from "../../../src/ota/verification/package-digests.ts";
import { ownerFetch } from "../../support/emulated-device.ts";
import { startTestEmulator } from "../../support/emulator.ts";
import { packageVerdict } from "../../support/package-verdict.ts";
import { repositoryRoot, runCommand } from "../../support/run-command.ts";
import { temporaryDirectory } from "../../support/temp-directory.ts";

const packageFile = "meter.v1.2.3.tar.gz";

interface GuideSection {
  readonly title: string;
  readonly commands: string;
}

/** The guide's commands, by section. */
function guideSections(): readonly GuideSection[] {
  const guide = readFileSync(join(repositoryRoot, "docs/signing.md"), "utf8");
  return guide
    .split(/^## /m)
    .map((section) => ({
      title: section.split("\n", 1)[0] ?? "",
      commands: [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block).join(""),
    }))
    .filter(({ commands }) => commands !== "");
}

it("the commands of the signing guide do what it says", async () => {
  await using emulator = await startTestEmulator();
  await emulator.addProduct("acme");
  const vendor = temporaryDirectory();
  const home = temporaryDirectory();
  const etc = join(home, "etc");
  const snapshots = join(home, "snapshots");
  mkdirSync(snapshots);
  writeFileSync(join(vendor, packageFile), "the package");

  // One shell runs them all; the key directory is kept as it is after each section.
  const sections = guideSections();
  const script = sections.map(
    ({ title, commands }) =>
      `${commands}\nif [ -d "${etc}/keys" ]; then cp -Rp "${etc}/keys" '${snapshots}/${title}'; fi\n`,
  );
  const text = `set -eu\numask 022\n${script.join("")}`
    .replaceAll("/etc/gateway-engine", etc)
    .replaceAll("https://$product.m2.exosite.io", emulator.url);
  const run = await runCommand("/bin/sh", ["-c", text], {
    cwd: vendor,
    env: {
      product: "acme",
      token: emulator.token,
      PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    },
  });
  expect(run, run.stderr).toMatchObject({ status: 0 });

  const verdict = (section: string, file: string) =>
    packageVerdict(join(snapshots, section), join(vendor, file));
  expect(await verdict("Trust a key", packageFile)).toContain("accepted, key ");
  expect(await verdict("Change keys", "acme-keys.v2027.tar.gz")).toContain("accepted, key ");
  expect(await verdict("Revoke a key", packageFile)).toBe("no-usable-key");

  // The package that brings the new key, installed as the engine would.
  const installed = await runCommand("./install.sh", [], { cwd: vendor, env: { GWE_HOME: home } });
  expect(installed, installed.stderr).toMatchObject({ status: 0 });
  expect(await packageVerdict(join(etc, "keys"), join(vendor, packageFile))).toBe("revoked-key");

  // What the guide uploaded, and what it put into the command.
  const signature = readFileSync(join(vendor, `${packageFile}.minisig`), "utf8");
  const content = `/provision/manage/content/acme/${packageFile}`;
  const uploaded = await ownerFetch(emulator, "GET", `${content}.minisig?download=true`, {});
  expect(await uploaded.text()).toBe(signature);
  expect(JSON.parse(readFileSync(join(vendor, "engine_fetch.json"), "utf8"))).toEqual({
    install: [{ name: packageFile, signature }],
  });
  const info = await ownerFetch(emulator, "GET", content, {});
  expect(digestInMeta(await info.text())).toEqual({
    kind: "digest",
    sha256: (await digestPackage(join(vendor, packageFile))).sha256,
  });
});
