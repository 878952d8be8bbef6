import { basename, dirname, resolve } from "node:path";
import {
  buildApp,
  checkTarball,
  FaultyPackageError,
  freshBuildfile,
  modifiedSeconds,
  readBuildfile,
} from "../app-builder/index.ts";
import type { ParsedArguments } from "./arguments.ts";
import { buildTools } from "./build-tools.ts";
import { UsageError } from "./errors.ts";
import type { GweContext } from "./gwe-context.ts";
import { createBuildfile } from "./gwe-create-buildfile.ts";
import { readTextFile } from "./read-text-file.ts";
import { printable } from "./terminal.ts";

type Flags = ParsedArguments["flags"];

const tools = ["create-buildfile", "check-buildfile", "build-app", "check-tarball"] as const;
/** What may stand beside a tool: names for it, and the log level, which scripts add to everything. */
const companions = ["app-name", "app-version", "set-debug-level"];

interface Overrides {
  readonly name?: string;
  readonly version?: string;
}

/** The developer tools: `gwe -x`, `-w`, `-y`, `-z` (docs/building-apps.md). */
export async function runBuildTool(flags: Flags, context: GweContext): Promise<number> {
  const [tool, ...more] = tools.filter((name) => flags.has(name));
  if (tool === undefined) throw new UsageError("-n and -s go with --create-buildfile or --build-app");
  const other = more[0] ?? [...flags.keys()].find((name) => name !== tool && !companions.includes(name));
  if (other !== undefined) throw new UsageError(`--${tool} and --${other} cannot be combined`);
  const values = flags.get(tool) ?? [];
  const [name] = flags.get("app-name") ?? [];
  const [version] = flags.get("app-version") ?? [];
  const overrides = { ...(name !== undefined && { name }), ...(version !== undefined && { version }) };
  switch (tool) {
    case "create-buildfile":
      return createBuildfile({ file: values[0], ...overrides }, context);
    case "check-buildfile":
      return checkBuildfile(values[0] ?? "", context);
    case "build-app":
      return build(values[0], overrides, context);
    case "check-tarball":
      return checkTarballs(values, context);
  }
}

async function checkBuildfile(file: string, { terminal }: GweContext): Promise<number> {
  const reading = readBuildfile(readTextFile(file));
  if (reading.outcome === "valid") {
    await terminal.write("[PASS]\n");
    return 0;
  }
  for (const fault of reading.faults) await terminal.write(`${printable(`${file}:${fault}`)}\n`);
  return 1;
}

async function build(file: string | undefined, overrides: Overrides, context: GweContext): Promise<number> {
  const { terminal } = context;
  const text = file === undefined ? bareBuildfile(overrides) : readTextFile(file);
  const reading = readBuildfile(text, overrides);
  if (reading.outcome === "faulty") {
    for (const fault of reading.faults) {
      terminal.note(
        printable(file === undefined ? fault.replace(/^\d+:\d+: /, "gwe: ") : `${file}:${fault}`),
      );
    }
    return 1;
  }
  const path = file === undefined ? undefined : resolve(file);
  const source =
    path === undefined
      ? { directory: process.cwd() }
      : { directory: dirname(path), buildfileName: basename(path) };
  const modifiedS = modifiedSeconds(terminal.env.SOURCE_DATE_EPOCH);
  try {
    const tarball = await buildApp(
      { ...source, buildfile: reading.buildfile, modifiedS },
      buildTools((warning) => terminal.note(printable(`gwe: warning: ${warning}`)), terminal.env),
    );
    await terminal.write(`${tarball}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof FaultyPackageError)) throw error;
    for (const fault of error.faults) terminal.note(printable(`gwe: ${fault}`));
    throw error;
  }
}

/** Everything in the current directory. */
function bareBuildfile({ name, version }: Overrides): string {
  if (name === undefined || version === undefined) {
    throw new UsageError("--build-app needs a buildfile, or -n NAME and -s VERSION to pack this directory");
  }
  return freshBuildfile(name, version);
}

async function checkTarballs(files: readonly string[], context: GweContext): Promise<number> {
  const { terminal } = context;
  const { checking } = buildTools(() => undefined, terminal.env);
  let faults = 0;
  for (const file of files) {
    const findings = await checkTarball(resolve(file), checking);
    faults += findings.faults.length;
    for (const warning of findings.warnings) terminal.note(printable(`${file}: warning: ${warning}`));
    // One package is what scripts ask about: the verdict alone.
    const pass = files.length === 1 ? "[PASS]" : `${file}: [PASS]`;
    const lines = findings.faults.length === 0 ? [pass] : findings.faults.map((fault) => `${file}: ${fault}`);
    for (const line of lines) await terminal.write(`${printable(line)}\n`);
  }
  return faults === 0 ? 0 : 1;
}
