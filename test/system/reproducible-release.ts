/**
 * Whether a release is the same bit for bit wherever and whenever it is made: `npm run test:reproducible
 * [-- x64|arm64...] [--against DIRECTORY]`. Makes that of HEAD twice from clones at different places, under another time
 * zone, locale and umask, with the same SOURCE_DATE_EPOCH; or once, and compares it with one that was made before.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { sha256 } from "../../packaging/release/archive.ts";

const checkout = join(import.meta.dirname, "../..");
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { against: { type: "string" } },
});
const architectures = positionals.length > 0 ? positionals : ["x64", "arm64"];

interface Place {
  /** Of the clone, below the directory of this run. */
  readonly path: string;
  readonly umask: string;
  readonly environment: Readonly<Record<string, string>>;
}

const places: readonly Place[] = [
  { path: "a", umask: "022", environment: { TZ: "UTC", LC_ALL: "C.UTF-8", LANG: "C.UTF-8" } },
  {
    path: "another/and longer/one",
    umask: "077",
    environment: { TZ: "Pacific/Kiritimati", LC_ALL: "C", LANG: "de_DE.UTF-8" },
  },
];

const work = mkdtempSync(join(tmpdir(), "gwe-reproducible-"));
try {
  const began = performance.now();
  const epoch = execFileSync("git", ["log", "-1", "--format=%ct"], {
    cwd: checkout,
    encoding: "utf8",
  }).trim();
  const given = values.against === undefined ? undefined : resolve(values.against);
  const own = given === undefined ? places : places.slice(1);
  const made: string[] = given === undefined ? [] : [given];
  for (const place of own) made.push(await makeRelease(place, epoch));
  process.exitCode = compare(made[0] ?? "", made[1] ?? "") === 0 ? 0 : 1;
  console.log(`${Math.round((performance.now() - began) / 1000)} s`);
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** @returns the directory of the release that it made */
async function makeRelease({ path, umask, environment }: Place, epoch: string): Promise<string> {
  const clone = join(work, path);
  execFileSync("git", ["clone", "--quiet", checkout, clone]);
  // Links, as far as they go: nothing changes what npm installed.
  const modules = [join(checkout, "node_modules"), join(clone, "node_modules")];
  try {
    execFileSync("cp", ["-al", ...modules], { stdio: "ignore" });
  } catch {
    rmSync(modules[1] ?? "", { recursive: true, force: true });
    execFileSync("cp", ["-a", ...modules]);
  }
  const temporary = join(work, "temporary", path);
  mkdirSync(temporary, { recursive: true });
  const command = `umask ${umask} && npm run -s release -- ${architectures.join(" ")}`;
  const child = spawn("sh", ["-c", command], {
    cwd: clone,
    env: { ...process.env, ...environment, SOURCE_DATE_EPOCH: epoch, TMPDIR: temporary },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const [status] = (await once(child, "exit")) as [number | null];
  if (status !== 0) throw new Error(`npm run release in ${clone} ended with ${status}`);
  return join(clone, "release");
}

/** Prints each file of two releases. @returns how many are not the same */
function compare(one: string, other: string): number {
  const ofThese = (name: string): boolean =>
    architectures.some((arch) => name.includes(`-${arch}.`) || name.includes(`_${debianName(arch)}.`));
  const names = [
    ...new Set([one, other].flatMap((directory) => readdirSync(directory).filter(ofThese))),
  ].sort();
  let differ = 0;
  for (const name of names) {
    const files = [join(one, name), join(other, name)];
    const [first, second] = files.map((file) => (existsSync(file) ? sha256(file) : "missing"));
    const isSame = first === second;
    if (!isSame) differ++;
    console.log(`${isSame ? "same  " : "DIFFER"}  ${first?.slice(0, 16)}  ${name}`);
    if (!isSame) console.log(differences(files));
  }
  const listed = [one, other].map((directory) =>
    readFileSync(join(directory, "SHA256SUMS"), "utf8").split("\n").filter(ofThese).join("\n"),
  );
  if (listed[0] !== listed[1]) console.log("DIFFER  SHA256SUMS");
  console.log(`${names.length - differ} same, ${differ} differ`);
  return names.length === 0 || listed[0] !== listed[1] ? Math.max(1, differ) : differ;
}

function debianName(arch: string): string {
  return arch === "x64" ? "amd64" : arch;
}

/** Which files of two packages are not the same; for a person. */
function differences(files: readonly string[]): string {
  const trees = files.map((file, index) => {
    const tree = join(work, "unpacked", String(index));
    rmSync(tree, { recursive: true, force: true });
    mkdirSync(tree, { recursive: true });
    if (!existsSync(file)) return tree;
    if (file.endsWith(".deb")) execFileSync("dpkg-deb", ["-R", file, tree]);
    else execFileSync("tar", ["-xzf", file, "-C", tree]);
    return tree;
  });
  try {
    execFileSync("diff", ["-rq", ...trees], { encoding: "utf8" });
    return "  the files in it are the same: their order, times, modes, or how they are packed differ";
  } catch (error) {
    const { stdout } = error as { readonly stdout?: string };
    return (stdout ?? String(error)).replaceAll(`${work}/unpacked/`, "  ");
  }
}
