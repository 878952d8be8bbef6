import * as z from "zod/mini";
import { PackageNameError, parsePackageName } from "../core/package-name.ts";
import { compileGlob, GlobError } from "./glob.ts";
import { JsonSyntaxError, type PlacedJson, parsePlacedJson } from "./json-places.ts";

/** How an app's package is built (spec: custom-gateway-applications.md, "Developer tools"). */
export interface Buildfile {
  readonly name: string;
  readonly version: string;
  /** Globs, relative to the buildfile's directory. */
  readonly includes: readonly string[];
  readonly excludes: readonly string[];
  /** Shell commands, run in the buildfile's directory. */
  readonly pre_build_cmds: readonly string[];
  readonly post_build_cmds: readonly string[];
}

/** Something wrong in a buildfile, as `line:column: what`. */
export type BuildfileFault = string;

export type BuildfileReading =
  | { readonly outcome: "valid"; readonly buildfile: Buildfile }
  | { readonly outcome: "faulty"; readonly faults: readonly BuildfileFault[] };

/** Values that stand in for the file's own (`--app-name`, `--app-version`). */
export interface BuildfileOverrides {
  readonly name?: string;
  readonly version?: string;
}

/** What each key is for, in the order in which a fresh buildfile has them. */
export const buildfileKeys: Readonly<Record<keyof Buildfile, string>> = {
  name: "The app's name: of its process, its log and its entry in reports.",
  version: "The version of this package. It becomes <name>.v<version>.tar.gz.",
  includes: 'What goes into the package: globs, relative to this file. "**" is everything.',
  excludes: "What of that stays out. Version control's and the system's own files do anyway.",
  pre_build_cmds: "Shell commands to run before packing, in this file's directory.",
  post_build_cmds: "Shell commands to run after it; $GWE_APP_TARBALL is the package.",
};

const defaultIncludes = ["**"];
const unquoted = "expected text in quotes (as a number, 1.10 would be 1.1)";
const globs = z._default(z.array(z.string("expected text: a glob")), []);
const commands = z._default(
  z.array(
    z.string("expected text: a shell command").check(
      z.refine((text) => text.trim() !== "", "an empty command"),
      z.refine((text) => !text.includes("\0"), "a NUL character in a command"),
    ),
  ),
  [],
);

const buildfileSchema = z.strictObject({
  name: z.string({ error: missingOr(unquoted) }),
  version: z.string({ error: missingOr(unquoted) }),
  includes: z._default(
    z
      .array(z.string("expected text: a glob"))
      .check(z.refine((list) => list.length > 0, "nothing is included")),
    defaultIncludes,
  ),
  excludes: globs,
  pre_build_cmds: commands,
  post_build_cmds: commands,
});

/** A buildfile as `--create-buildfile` writes it: everything in the directory. */
export function freshBuildfile(name: string, version: string): string {
  const content: Buildfile = {
    name,
    version,
    includes: defaultIncludes,
    excludes: [],
    pre_build_cmds: [],
    post_build_cmds: [],
  };
  return `${JSON.stringify(content, undefined, 2)}\n`;
}

/** Reads a buildfile's text. Finds every fault, not only the first, each with its place. */
export function readBuildfile(text: string, overrides: BuildfileOverrides = {}): BuildfileReading {
  let json: PlacedJson;
  try {
    // Windows' editors put a byte order mark before the text.
    json = parsePlacedJson(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    return { outcome: "faulty", faults: [`${error.place.line}:${error.place.column}: ${error.message}`] };
  }
  const parsed = buildfileSchema.safeParse(overridden(json.value, overrides));
  const issues = parsed.success ? valueIssues(parsed.data) : parsed.error.issues.flatMap(issuesOf);
  if (parsed.success && issues.length === 0) return { outcome: "valid", buildfile: parsed.data };
  return { outcome: "faulty", faults: issues.map((issue) => describeIssue(issue, json)) };
}

function overridden(value: unknown, overrides: BuildfileOverrides): unknown {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? { ...value, ...overrides } : value;
}

/** What is wrong with an app's name and version, by the engine's own rules. */
export function nameFault(name: string, version: string): string | undefined {
  try {
    const parsed = parsePackageName(`${name}.v${version}.tar.gz`);
    if (parsed.app === name) return undefined;
    return `the version holds '.v', where the engine would split the package's name: app ${JSON.stringify(parsed.app)}, version ${JSON.stringify(parsed.version)}`;
  } catch (error) {
    if (!(error instanceof PackageNameError)) throw error;
    return error.message.replace(/^bad package name .*?: (?=[^"]*$)/s, "");
  }
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function valueIssues(buildfile: Buildfile): readonly Issue[] {
  const issues: Issue[] = [];
  const { name, version } = buildfile;
  const appFault = nameFault(name, "1");
  const versionFault = appFault === undefined ? nameFault(name, version) : nameFault("app", version);
  if (appFault !== undefined) issues.push({ path: ["name"], message: appFault });
  if (versionFault !== undefined) issues.push({ path: ["version"], message: versionFault });
  for (const key of ["includes", "excludes"] as const) {
    for (const [index, pattern] of buildfile[key].entries()) {
      try {
        compileGlob(pattern);
      } catch (error) {
        if (!(error instanceof GlobError)) throw error;
        issues.push({ path: [key, index], message: `${JSON.stringify(pattern)}: ${error.message}` });
      }
    }
  }
  return issues;
}

function issuesOf(issue: z.core.$ZodIssue): readonly Issue[] {
  if (issue.code === "unrecognized_keys") {
    const known = Object.keys(buildfileKeys).join(", ");
    return issue.keys.map((key) => ({ path: [key], message: `no such key; there are ${known}` }));
  }
  if (issue.code === "invalid_type" && issue.expected !== "string") {
    const what = issue.expected === "array" ? "a list: [...]" : "an object: {...}";
    return [{ path: issue.path, message: `expected ${what}` }];
  }
  return [issue];
}

function missingOr(message: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) => (input === undefined ? "is missing" : message);
}

function describeIssue({ path, message }: Issue, json: PlacedJson): BuildfileFault {
  const { line, column } = json.placeOf(path);
  const shown = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  return `${line}:${column}: ${shown === "" ? "" : `${shown.slice(1)}: `}${message}`;
}
