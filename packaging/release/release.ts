/**
 * Builds the release archives of both machines, their engine-only update packages and Debian packages into release/, from a built
 * checkout and npm's registry: `npm run release [-- x64|arm64]`. The same commit gives the same bytes.
 */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { z } from "zod";
import { debianPackage } from "../debian/deb.ts";
import { bytesIn, packArchive, sha256, writeSums } from "./archive.ts";
import { placeNodeRuntime } from "./node-runtime.ts";
import { run } from "./run.ts";

const root = join(import.meta.dirname, "../..");
const output = join(root, "release");
const top = "gateway-engine";
const { version } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
const time = new Date(1000 * Number(process.env.SOURCE_DATE_EPOCH ?? commitTimeS()));

const architectures = process.argv.length > 2 ? process.argv.slice(2) : ["x64", "arm64"];
const work = mkdtempSync(join(tmpdir(), "gwe-release-"));
try {
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output);
  const files: string[] = [];
  for (const arch of architectures) files.push(...(await release(arch)));
  const sums = files.map((file) => `${sha256(file)}  ${basename(file)}\n`).sort();
  writeFileSync(join(output, "SHA256SUMS"), sums.join(""));
} finally {
  rmSync(work, { recursive: true, force: true });
}

function commitTimeS(): string {
  return run("git", ["log", "-1", "--format=%ct"], root).trim();
}

/** @returns the files that it made: the archives without Node and with it, and the Debian package */
async function release(arch: string): Promise<readonly string[]> {
  const parent = join(work, arch);
  const directory = join(parent, top);
  mkdirSync(directory, { recursive: true });
  run(process.execPath, [join(root, "packaging/runtime-tree.ts"), join(directory, "tree"), arch], root);
  for (const part of ["install.sh", "config", "systemd", "sysv"]) copy(`packaging/${part}`, directory, part);
  for (const part of ["uninstall.sh", "specs"]) copy(`packaging/release/${part}`, directory, part);
  copy("LICENSE", directory, "LICENSE");
  writeFileSync(join(directory, "VERSION"), `${version}\n${arch}\n`);
  writeFileSync(join(directory, "sbom.cdx.json"), softwareBill(arch));

  const update = join(output, `GatewayEngine-update.v${version}-linux-${arch}.tar.gz`);
  writeFileSync(join(directory, "THIS_IS_AN_OTAU.txt"), "install.sh upgrades an installed engine.\n");
  await pack(parent, update);

  rmSync(join(directory, "THIS_IS_AN_OTAU.txt"));
  copy("packaging/release/init", directory, "init");
  copy("packaging/release/apps_to_install", directory, "apps_to_install");
  await placeNodeRuntime(root, arch, join(directory, "tree/runtime"), work);
  const whole = join(output, `GatewayEngine.v${version}-linux-${arch}.tar.gz`);
  await pack(parent, whole);

  const packaging = join(parent, "deb");
  mkdirSync(packaging);
  const deb = await debianPackage({ root, release: directory, work: packaging, arch, version, time });
  writeFileSync(join(output, deb.name), deb.content);
  console.log(`${deb.name}: ${(deb.content.length / 1e6).toFixed(1)} MB`);
  return [update, whole, join(output, deb.name), await takeOver(parent, arch)];
}

/** The whole release in a package that an original engine installs over the air. */
async function takeOver(parent: string, arch: string): Promise<string> {
  const name = "gwe-takeover";
  mkdirSync(join(parent, name));
  renameSync(join(parent, top), join(parent, name, top));
  for (const part of ["install.sh", "gateway-engine-take-over.service"]) {
    copy(`packaging/take-over/${part}`, join(parent, name), part);
  }
  const file = join(output, `${name}.v${version}-linux-${arch}.tar.gz`);
  await packArchive(parent, name, file, time);
  console.log(`${basename(file)}: ${(statSync(file).size / 1e6).toFixed(1)} MB`);
  return file;
}

async function pack(parent: string, file: string): Promise<void> {
  const directory = join(parent, top);
  rmSync(join(directory, "SHA256SUMS"), { force: true });
  writeSums(directory, (path) => /^(apps_to_install|init|THIS_IS_AN_OTAU)/.test(path));
  await packArchive(parent, top, file, time);
  const mb = (bytes: number): string => (bytes / 1e6).toFixed(1);
  console.log(`${basename(file)}: ${mb(statSync(file).size)} MB, ${mb(bytesIn(directory))} MB unpacked`);
}

function copy(from: string, directory: string, to: string): void {
  cpSync(join(root, from), join(directory, to), { recursive: true });
}

/** CycloneDX by npm, of what a gateway runs; without what differs from one run to the next. */
function softwareBill(arch: string): string {
  const other = arch === "x64" ? "arm64" : "x64";
  const text = run(
    "npm",
    ["sbom", "--sbom-format", "cyclonedx", "--omit", "dev", "--package-lock-only"],
    root,
  );
  const bill = z
    .looseObject({
      metadata: z.looseObject({ component: z.looseObject({}) }),
      components: z.array(z.looseObject({ name: z.string() })),
      dependencies: z.array(z.looseObject({ ref: z.string(), dependsOn: z.array(z.string()).optional() })),
    })
    .parse(JSON.parse(text));
  const isOther = (ref: string): boolean => ref.startsWith(`node-linux-${other}@`);
  const { serialNumber: _random, ...lasting } = bill;
  return `${JSON.stringify(
    {
      ...lasting,
      metadata: {
        ...bill.metadata,
        timestamp: time.toISOString(),
        component: { ...bill.metadata.component, name: "gateway-engine" },
      },
      components: bill.components.filter(({ name }) => name !== `node-linux-${other}`),
      dependencies: bill.dependencies
        .filter(({ ref }) => !isOther(ref))
        .map(({ dependsOn, ...rest }) => ({ ...rest, dependsOn: dependsOn?.filter((ref) => !isOther(ref)) })),
    },
    undefined,
    1,
  )}\n`;
}
