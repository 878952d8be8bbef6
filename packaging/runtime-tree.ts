/**
 * Copies what a gateway needs at run time from this built checkout to a directory:
 * `node packaging/runtime-tree.ts DIRECTORY [ARCH]`. The directory must not exist. Node itself comes along as
 * `runtime/bin/node`, the one that runs this script; with ARCH (x64, arm64) the tree is that machine's, and has no Node.
 */
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { writeManual } from "./manual/manual.ts";
import { stripElf } from "./release/strip-elf.ts";

const root = join(import.meta.dirname, "..");

/** What the engine runs or loads from `dist/`; the rest follows from the imports in it. */
const programs = [
  "gwe.js",
  "gdc.js",
  "gmq.js",
  "supervisorctl.js",
  "ota-worker.js",
  "machine-facts.js",
  "logd.js",
  "launcher.sh",
  "attendant.sh",
];
const commands = ["gwe", "gdc", "gmq", "supervisorctl", "node-launcher.sh", "trial.sh"];
const texts = ["LICENSE", "README.md", "CHANGELOG.md", "package.json"];
const guides = [
  "installation.md",
  "first-boot.md",
  "take-over.md",
  "configuration.md",
  "gwe-command.md",
  "gdc-command.md",
  "gmq-command.md",
  "supervisorctl-command.md",
  "python.md",
];
/** What the bundles leave outside (packaging/build.ts). */
const packages = ["pm2", "better-sqlite3"];
/** Only for compiling addons, which no gateway does. */
const buildOnlyPackages = new Set(["node-addon-api"]);

/** No program loads these; licences are no such files. */
const forDevelopers =
  /\.(map|[cm]?ts|flow|markdown|html|yml)$|(^|\/)\.[^/]+$|^(readme|changelog|history|contributing|security)[^/]*\.md$|^(tests?|__tests__|examples?|benchmarks?|docs|coverage|\.github|\.idea|\.vscode)$/i;

const [destination, arch, ...surplus] = process.argv.slice(2);
if (destination === undefined || surplus.length > 0 || !["x64", "arm64", undefined].includes(arch)) {
  console.error("usage: runtime-tree.ts DIRECTORY [x64|arm64]");
  process.exit(2);
}
if (existsSync(destination)) {
  console.error(`${destination} exists`);
  process.exit(1);
}

/** SQLite for the tree's machine. */
const addon = `linux-${arch ?? process.arch}.node`;
const missing = programs.filter((name) => !existsSync(join(root, "dist", name)));
if (missing.length > 0) {
  console.error(`dist/ lacks ${missing.join(", ")}: run 'npm run build'`);
  process.exit(1);
}

for (const name of commands) copy(`bin/${name}`);
for (const name of texts) copy(name);
for (const name of guides) copy(`docs/${name}`);
for (const name of ["stop-order.sh", "waiting-apps.sh"]) copy(`packaging/systemd/${name}`, `systemd/${name}`);
for (const name of bundlesFrom(programs)) copy(`dist/${name}`);
for (const directory of packageClosure(packages)) copyPackage(directory);
stripAddon();
copyPythonPackages();
writeManual(root, join(destination, "share"));
if (arch === undefined) copyRuntime();

function copy(path: string, to = path): void {
  const target = join(destination ?? "", to);
  mkdirSync(dirname(target), { recursive: true });
  cpSync(join(root, path), target);
  chmodSync(target, statSync(join(root, path)).mode & 0o111 ? 0o755 : 0o644);
}

/** The given bundles with the chunks and licence notes that belong to them. */
function bundlesFrom(names: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const follow = (name: string): void => {
    const file = join(root, "dist", name);
    if (found.has(name) || !existsSync(file)) return;
    found.add(name);
    for (const [, imported] of readFileSync(file, "utf8").matchAll(/"\.\/([\w.-]+\.js)"/g)) {
      follow(imported ?? "");
    }
    if (existsSync(`${file}.LEGAL.txt`)) found.add(`${name}.LEGAL.txt`);
  };
  for (const name of names) follow(name);
  return found;
}

/** Directories of the packages and of all that they depend on, as Node resolves them. */
function packageClosure(names: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const follow = (name: string, from: string, isOptional: boolean): void => {
    if (buildOnlyPackages.has(name)) return;
    const directory = resolvePackage(name, from);
    if (directory === undefined) {
      if (isOptional) return;
      console.error(`${name}, which ${from} depends on, is not installed: run 'npm ci'`);
      process.exit(1);
    }
    if (found.has(directory)) return;
    found.add(directory);
    const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
      readFileSync(join(directory, "package.json"), "utf8"),
    ) as Partial<Record<"dependencies" | "optionalDependencies", Record<string, string>>>;
    for (const dependency of Object.keys({ ...dependencies, ...optionalDependencies })) {
      follow(dependency, directory, dependency in optionalDependencies);
    }
  };
  for (const name of names) follow(name, root, false);
  return found;
}

function resolvePackage(name: string, from: string): string | undefined {
  for (let directory = from; ; directory = dirname(directory)) {
    const candidate = join(directory, "node_modules", name);
    if (existsSync(join(candidate, "package.json"))) return candidate;
    if (directory === root) return undefined;
  }
}

/** A package's own files; packages nested in it are in the closure themselves, or not needed. */
function copyPackage(directory: string): void {
  const leftOut = basename(directory) === "better-sqlite3" ? isForOthers : () => false;
  cpSync(directory, join(destination ?? "", relative(root, directory)), {
    recursive: true,
    filter: (source) => {
      const path = relative(directory, source);
      return path !== "node_modules" && !forDevelopers.test(path) && !leftOut(path);
    },
  });
}

function stripAddon(): void {
  const file = join(destination ?? "", "node_modules/better-sqlite3/prebuilds", addon);
  writeFileSync(file, stripElf(readFileSync(file)));
}

/** SQLite's sources, and addons for other machines. */
function isForOthers(path: string): boolean {
  if (path === "src" || path === "deps" || path === "binding.gyp") return true;
  return path.startsWith("prebuilds/") && path !== `prebuilds/${addon}`;
}

function copyPythonPackages(): void {
  cpSync(join(root, "packaging/python"), join(destination ?? "", "python"), {
    recursive: true,
    filter: (source) => basename(source) !== "__pycache__",
  });
}

function copyRuntime(): void {
  const target = join(destination ?? "", "runtime");
  mkdirSync(join(target, "bin"), { recursive: true });
  cpSync(process.execPath, join(target, "bin/node"), { dereference: true });
  chmodSync(join(target, "bin/node"), 0o755);
  const license = join(dirname(process.execPath), "../LICENSE");
  if (existsSync(license)) cpSync(license, join(target, "LICENSE"));
}
