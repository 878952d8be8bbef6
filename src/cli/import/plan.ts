import { dirname } from "node:path";
import type { ConfigChange } from "../../config/index.ts";
import { unquoteEmpty } from "../../core/cik.ts";
import { describeError, GweError } from "../../core/errors.ts";
import type { IniDocument } from "../../core/ini.ts";
import { parsePackageName } from "../../core/package-name.ts";
import { parseSupervisorConf } from "../../supervisor/index.ts";
import { installedVersions } from "./installed-versions.ts";
import { type Program, type ProgramFile, supervisorConf } from "./programs.ts";

/** What was found of the original; empty documents where there was no such file. */
export interface OriginalState {
  readonly gatewayCfg: IniDocument;
  readonly engineConfig: IniDocument;
  readonly gmqCfg: IniDocument;
  readonly programFiles: readonly ProgramFile[];
  /** Programs that are to stay supervisord's. */
  readonly except: readonly string[];
}

export interface ImportedApp {
  readonly name: string;
  readonly version: string;
  readonly isVersionKnown: boolean;
  /** supervisord's file. */
  readonly file: string;
  readonly supervisorConf: string;
}

export interface QueueChange {
  readonly section: string;
  readonly key: string;
  readonly value: string;
}

/** What is to be done, and what is not; nothing has been written. */
export interface ImportPlan {
  readonly changes: readonly ConfigChange[];
  readonly queueChanges: readonly QueueChange[];
  readonly apps: readonly ImportedApp[];
  /** supervisord's files of which nothing is left for it. */
  readonly emptiedFiles: readonly string[];
  /** Programs of supervisord's that are the original engine and its parts. */
  readonly originalParts: readonly string[];
  /** What is not taken over, with the reason, for a person. */
  readonly notes: readonly string[];
}

/** For an app of which the original tells no version. */
const unknownVersion = "0-imported";

/** @param known whether a key of a section is one of this engine's; what is wrong with its value, else undefined */
export function planImport(
  original: OriginalState,
  faultOf: (change: ConfigChange) => string | undefined,
): ImportPlan {
  const notes: string[] = [];
  const changes = [
    ...configChanges("device", original.gatewayCfg),
    ...configChanges("engine", original.engineConfig),
  ].filter((change) => {
    const fault = faultOf(change);
    if (fault !== undefined) notes.push(fault);
    return fault === undefined;
  });
  const versions = installedVersions(original.engineConfig);
  const apps: ImportedApp[] = [];
  const left = new Set<string>();
  for (const { file, programs, others } of original.programFiles) {
    for (const section of others) {
      notes.push(`${file}: [${section}] is no program: it stays supervisord's`);
      left.add(file);
    }
    for (const program of programs) {
      const app = importedApp(program, file, versions, original.except);
      if ("reason" in app) {
        notes.push(`${file}: ${program.name} stays supervisord's: ${app.reason}`);
        left.add(file);
      } else if (apps.some(({ name }) => name === app.name))
        notes.push(`${file}: ${app.name} is there twice; the first counts`);
      else apps.push(app);
    }
  }
  for (const [name, version] of versions) {
    if (!apps.some((app) => app.name === name))
      notes.push(`${name} ${version} was installed without a program: nothing to run is taken over`);
  }
  return {
    changes,
    queueChanges: original.gmqCfg.entries.map(({ section, key, value }) => ({ section, key, value })),
    apps,
    emptiedFiles: original.programFiles.map(({ file }) => file).filter((file) => !left.has(file)),
    originalParts: original.programFiles.flatMap(({ originalParts }) => originalParts),
    notes,
  };
}

function configChanges(section: "device" | "engine", document: IniDocument): readonly ConfigChange[] {
  const keys = new Set(document.entries.filter((entry) => entry.section === section).map(({ key }) => key));
  return [...keys].flatMap((key) => {
    const value = unquoteEmpty(document.get(section, key)?.value ?? "");
    // The original's own name: this engine has one itself.
    const isOwnName = key === "user_agent" && /^GatewayEngine-v/i.test(value);
    // Known by their shape; they are read apart.
    const isVersions = /^\s*[[{]/.test(value);
    return value === "" || isOwnName || isVersions ? [] : [{ section, key, value }];
  });
}

function importedApp(
  program: Program,
  file: string,
  versions: ReadonlyMap<string, string>,
  except: readonly string[],
): ImportedApp | { readonly reason: string } {
  const { name } = program;
  if (except.includes(name)) return { reason: "as asked for" };
  const known = versions.get(name) ?? versions.get(name.toLowerCase());
  const version = known ?? unknownVersion;
  const conf = supervisorConf(program, dirname(file));
  try {
    parsePackageName(`${name}.v${version}.tar.gz`);
    parseSupervisorConf({
      text: conf,
      appName: name,
      here: "/",
      logDir: "/var/log",
      hostName: "",
      environment: environmentOf(conf),
    });
  } catch (error) {
    if (!(error instanceof GweError)) throw error;
    return { reason: describeError(error) };
  }
  return { name, version, isVersionKnown: known !== undefined, file, supervisorConf: conf };
}

/** Whether a variable is there shows when the app is installed, in the engine's environment and not in this one. */
function environmentOf(conf: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...conf.matchAll(/%\(ENV_(\w+)\)s/g)].map(([, name]) => [name ?? "", "x"]));
}
