import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { describeError, GweError } from "../core/errors.ts";
import { PackageNameError, parsePackageName } from "../core/package-name.ts";
import type { PackageRole, UnpackedPackage, WorkerAnswer } from "../ota/index.ts";
import { checkSupervisorConf, type ParseConf } from "./check-supervisor-conf.ts";
import { CheckError } from "./errors.ts";
import type { Findings } from "./findings.ts";
import { checkScriptStart } from "./install-script.ts";

/** The engine's own judgement, so that what passes here is what a gateway takes. */
export interface CheckDependencies {
  /** Unpacks as the engine does, into a directory that does not exist yet. */
  readonly unpack: (file: string, into: string) => Promise<WorkerAnswer>;
  /** @throws GweError when nothing in the package can install it */
  readonly chooseInstaller: (unpacked: UnpackedPackage) => "install.sh" | "setup.py";
  readonly roleOf: (app: string) => PackageRole;
  readonly parseConf: ParseConf;
  /** A new directory of this call's own. */
  readonly temporaryDirectory: () => string;
  readonly removePath: (path: string) => void;
}

const scriptStartBytes = 64 * 1024;

/**
 * Checks a package as a gateway would before it runs anything of it. Nothing of the package is run here either.
 *
 * @param name the package's name, where the file does not have it yet
 * @throws CheckError when this machine cannot do the check (disk full, no such file)
 */
export async function checkTarball(
  file: string,
  deps: CheckDependencies,
  name: string = basename(file),
): Promise<Findings> {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
    throw new CheckError(`there is no file ${file}`, { context: { file } });
  }
  const temporary = deps.temporaryDirectory();
  try {
    const into = join(temporary, "unpacked");
    const answer = await deps.unpack(file, into);
    const content =
      answer.outcome === "unpacked"
        ? checkContent(into, answer.package, appOf(name), deps)
        : { faults: [refusal(file, answer)], warnings: [] };
    return { ...content, faults: [...nameFaults(name, deps), ...content.faults] };
  } finally {
    deps.removePath(temporary);
  }
}

function refusal(file: string, answer: Exclude<WorkerAnswer, { outcome: "unpacked" }>): string {
  if (answer.outcome === "refused") return answer.reason;
  const reason = answer.outcome === "failed" ? answer.reason : "the unpacking process answered nonsense";
  throw new CheckError(`${file} could not be unpacked: ${reason}`, { context: { file } });
}

function nameFaults(name: string, { roleOf }: CheckDependencies): readonly string[] {
  try {
    const { app } = parsePackageName(name);
    if (roleOf(app) === "app") return [];
    return [`the name ${app} is taken: the engine does not install packages that are parts of an engine`];
  } catch (error) {
    if (!(error instanceof PackageNameError)) throw error;
    return [error.message];
  }
}

/** The app that a package's name means, however wrong: the rest is checked all the same. */
function appOf(name: string): string {
  try {
    return parsePackageName(name).app;
  } catch {
    return /^\w+/.exec(name)?.[0] ?? "app";
  }
}

function checkContent(
  into: string,
  unpacked: UnpackedPackage,
  app: string,
  deps: CheckDependencies,
): Findings {
  const top = join(into, unpacked.root);
  const findings: Findings[] = [];
  if (unpacked.installScript !== null) {
    const start = readFileSync(join(top, "install.sh")).subarray(0, scriptStartBytes);
    findings.push(checkScriptStart("install.sh", { start, isExecutable }));
  }
  try {
    deps.chooseInstaller(unpacked);
  } catch (error) {
    if (!(error instanceof GweError)) throw error;
    const elsewhere = unpacked.installScript === null ? installersBelow(top) : [];
    const hint = elsewhere.length > 0 ? ` (there is ${elsewhere.join(", ")})` : "";
    findings.push({ faults: [`${describeError(error)}${hint}`], warnings: [] });
  }
  if (unpacked.supervisorConf) findings.push(checkSupervisorConf(top, app, deps.parseConf));
  findings.push({ faults: [], warnings: danglingLinks(top) });
  return {
    faults: findings.flatMap(({ faults }) => faults),
    warnings: findings.flatMap(({ warnings }) => warnings),
  };
}

/** Installers that lie where the engine does not look. */
function installersBelow(top: string): readonly string[] {
  return pathsBelow(top)
    .map(({ path }) => path)
    .filter((path) => /(^|\/)(install\.sh|setup\.py)$/.test(path))
    .slice(0, 3);
}

function danglingLinks(top: string): readonly string[] {
  return pathsBelow(top)
    .filter(({ path, isLink }) => isLink && !existsSync(join(top, path)))
    .map(({ path }) => `the link ${JSON.stringify(path)} leads to nothing in the package`);
}

interface PackedPath {
  readonly path: string;
  readonly isLink: boolean;
}

/** Not by Node's recursive readdir: some versions follow links, which may go in circles. */
function pathsBelow(top: string, directory = ""): readonly PackedPath[] {
  const entries = readdirSync(join(top, directory), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = directory === "" ? entry.name : `${directory}/${entry.name}`;
    const inside = entry.isDirectory() ? pathsBelow(top, path) : [];
    return [{ path, isLink: entry.isSymbolicLink() }, ...inside];
  });
}

function isExecutable(program: string): boolean {
  try {
    accessSync(program, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
