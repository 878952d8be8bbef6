import { type PackageName, PackageNameError, parsePackageName } from "../core/package-name.ts";
import { packageRole } from "./package-role.ts";
import type { Verb } from "./task.ts";
import { parseTasks, type TaskEntry, taskVerbs } from "./task-entries.ts";
import { cutText } from "./text.ts";
import { maxSignatureBytes } from "./verification/minisign-format.ts";

/** The shape that every refusal repeats, so that an operator need not look it up. */
export const expectedCommand =
  '{"install":[{"name":"<app>.v<version>.tar.gz"}]}, or ' +
  `${taskVerbs.map(describeVerb).join(", ")}, ` +
  'optionally with "id" (text) and "report":true';

/** More than this in one command could not be reported in one `fetch_status`. */
export const maxEntries = 128;

const maxIdLength = 100;
const maxShownNameBytes = 120;

const knownKeys = new Set<string>(["id", "install", "report", ...taskVerbs]);

/** One entry of `install`: work to do, or the reason why there is none. */
export type InstallEntry =
  | ({ readonly kind: "package"; readonly package: PackageName } & PackageProofs)
  | {
      readonly kind: "refused" | "skipped";
      readonly name: string;
      readonly version: string;
      readonly reason: string;
    };

/** What the command gives to check a package by; null where it doesn't. */
interface PackageProofs {
  /** In lower case. */
  readonly sha256: string | null;
  /** The text of a `.minisig` file, as given. */
  readonly signature: string | null;
}

const noProofs: PackageProofs = { sha256: null, signature: null };

export type ParsedCommand =
  | {
      readonly kind: "command";
      /** The operator's own, when the command carries one. */
      readonly id: string | undefined;
      readonly installs: readonly InstallEntry[];
      /** What the other verbs ask for, in the order of `verbOrder`. */
      readonly tasks: readonly TaskEntry[];
      /** All reports are wanted with the next check-in. */
      readonly report: boolean;
      /** What was not understood and left out, for a person. */
      readonly problems: readonly string[];
    }
  | { readonly kind: "malformed"; readonly problem: string; readonly expected: string };

/**
 * Reads a value of `engine_fetch`. Never throws: what is wrong becomes part of the answer. A fault in one entry or
 * key leaves the others to be worked through; only a value that holds no command at all is malformed.
 */
export function parseCommand(text: string): ParsedCommand {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : String(error);
    return malformed(`not JSON: ${cutText(reason, 200)}`);
  }
  if (!isRecord(value)) return malformed(`a JSON ${typeName(value)} instead of an object`);
  const { id, install, report } = value;
  const tasks = parseTasks(value);
  const others = Object.keys(value).filter((key) => !knownKeys.has(key));
  const problems = [...others.slice(0, 10).map(describeKey), ...describeExcess(others), ...tasks.problems];
  if (id !== undefined && !isId(id)) {
    problems.push(`"id" must be a text of 1 to ${maxIdLength} characters or a number: left out`);
  }
  if (report !== undefined && typeof report !== "boolean") {
    problems.push(`"report" must be true or false, not a JSON ${typeName(report)}`);
  }
  if (install !== undefined && !Array.isArray(install)) {
    return malformed(`"install" is a JSON ${typeName(install)} instead of a list`);
  }
  const entries = (install?.length ?? 0) + tasks.entries.length;
  if (entries > maxEntries) {
    return malformed(`the command has ${entries} entries; one command may have ${maxEntries}`);
  }
  if (entries === 0 && report !== true) {
    return malformed([...problems, "nothing to do: no package, no app, and no report asked for"].join("; "));
  }
  const installs = (install ?? []).map(parseEntry);
  return {
    kind: "command",
    id: isId(id) ? String(id) : undefined,
    installs,
    tasks: tasks.entries,
    report: report === true,
    problems,
  };
}

function parseEntry(entry: unknown): InstallEntry {
  if (!isRecord(entry) || typeof entry.name !== "string") {
    return refused(shownName(entry), "", 'expected {"name":"<app>.v<version>.tar.gz"}');
  }
  const { name, sha256, signature, ...others } = entry;
  let parsed: PackageName;
  try {
    parsed = parsePackageName(name as string);
  } catch (error) {
    if (error instanceof PackageNameError) return refused(shownName(name), "", error.message);
    throw error;
  }
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) {
    // An entry's keys change what is installed or on what condition (a size, a digest): never ignored.
    return refused(
      parsed.app,
      parsed.version,
      `unknown key ${quote(unknown)}; known are "name", "sha256" and "signature"`,
    );
  }
  if (sha256 !== undefined && !(typeof sha256 === "string" && /^[0-9a-fA-F]{64}$/.test(sha256))) {
    return refused(parsed.app, parsed.version, '"sha256" must be 64 hexadecimal digits');
  }
  if (signature !== undefined && !isSignatureText(signature)) {
    const reason = `"signature" must be a text of 1 to ${maxSignatureBytes} bytes: that of the .minisig file`;
    return refused(parsed.app, parsed.version, reason);
  }
  return entryForPackage(parsed, { sha256: sha256?.toLowerCase() ?? null, signature: signature ?? null });
}

/** What installing this package means: work, or the reason why it is none of an app's. */
export function entryForPackage(parsed: PackageName, proofs: PackageProofs = noProofs): InstallEntry {
  switch (packageRole(parsed.app)) {
    case "engine":
      // The machine that it is for is no part of the version.
      return {
        kind: "package",
        package: { ...parsed, version: parsed.version.replace(/-linux-[A-Za-z0-9_]+$/, "") },
        ...proofs,
      };
    case "part-of-the-original":
      return {
        kind: "skipped",
        name: parsed.app,
        version: parsed.version,
        reason: "a part of the original Gateway Engine, which this engine has built in: nothing to install",
      };
    case "app":
      return { kind: "package", package: parsed, ...proofs };
  }
}

function describeVerb(verb: Verb): string {
  if (verb === "logs") return '"logs":[{"app":"<app>","lines":N}]';
  return verb === "configure" ? '"configure":{"<key>":"<value>"}' : `"${verb}":["<app>"]`;
}

function describeKey(key: string): string {
  return `unknown key ${quote(key)}: ignored`;
}

function describeExcess(others: readonly string[]): readonly string[] {
  const excess = others.length - 10;
  return excess > 0 ? [`${excess} more unknown keys: ignored`] : [];
}

function malformed(problem: string): ParsedCommand {
  return { kind: "malformed", problem, expected: expectedCommand };
}

function refused(name: string, version: string, reason: string): InstallEntry {
  return { kind: "refused", name, version, reason };
}

/** Where there is no app name, what stands in its place, short enough for any report. */
function shownName(value: unknown): string {
  return cutText(typeof value === "string" ? value : (JSON.stringify(value) ?? ""), maxShownNameBytes);
}

function quote(key: string): string {
  return JSON.stringify(cutText(key, 50));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isId(id: unknown): id is string | number {
  if (typeof id === "number") return Number.isFinite(id);
  return typeof id === "string" && id !== "" && id.length <= maxIdLength;
}

function isSignatureText(value: unknown): value is string {
  return typeof value === "string" && value !== "" && Buffer.byteLength(value) <= maxSignatureBytes;
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "list";
  return typeof value;
}
