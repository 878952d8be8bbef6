import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, ConfigStore, type Paths, readCik, readConfigFile } from "../config/index.ts";
import { IniDocument } from "../core/ini.ts";
import { configIo } from "../daemon/config-io.ts";
import { type Flag, parseArguments } from "./arguments.ts";
import { CommandError, UsageError } from "./errors.ts";
import type { GweContext } from "./gwe-context.ts";
import { masked } from "./gwe-print.ts";
import { carryOut, waitingApps } from "./import/carry-out.ts";
import { findOriginal, type OriginalFiles } from "./import/original-files.ts";
import { type ImportPlan, planImport } from "./import/plan.ts";
import { readProgramFile } from "./import/programs.ts";

const flags: readonly Flag[] = [
  { long: "dry-run", short: "n", help: "Only tell." },
  { long: "json", help: "Tell it as JSON." },
  { long: "replace", help: "Take the place of a configuration that has a CIK of its own." },
  { long: "root", takes: "value", value: "DIR", help: "Where the original's system is mounted." },
  { long: "gateway-cfg", takes: "value", value: "FILE", help: "" },
  { long: "engine-config", takes: "value", value: "FILE", help: "" },
  { long: "gmq-cfg", takes: "value", value: "FILE", help: "" },
  { long: "programs", takes: "value", value: "DIR", help: "supervisord's conf.d." },
  { long: "except", takes: "values", value: "APP", help: "These stay supervisord's." },
];
const usage =
  "gwe import [--dry-run] [--json] [--replace] [--except APP...] [--root DIR] [--gateway-cfg FILE] [--engine-config FILE] [--gmq-cfg FILE] [--programs DIR]";

/** `gwe import`: identity, settings and applications of an original Gateway Engine become this one's. */
export async function importOriginal(
  argv: readonly string[],
  { terminal, paths }: GweContext,
): Promise<number> {
  const { flags: given, positionals } = parseArguments(flags, argv);
  if (positionals.length > 0) throw new UsageError(`usage: ${usage}`);
  const value = (flag: string): string | undefined => given.get(flag)?.[0];
  const files = findOriginal({
    root: value("root") ?? "/",
    gatewayCfg: value("gateway-cfg"),
    engineConfig: value("engine-config"),
    gmqCfg: value("gmq-cfg"),
    programsDir: value("programs"),
  });
  const plan = readPlan(files, given.get("except") ?? [], paths);
  if (plan.changes.length === 0 && plan.apps.length === 0) {
    throw new CommandError(`nothing of an original Gateway Engine was found: ${usage}`);
  }
  if (!given.has("replace")) refuseOtherIdentity(plan, paths);
  const isDry = given.has("dry-run");
  const refused = isDry ? [] : carryOut(plan, paths);
  const told = { ...plan, notes: [...plan.notes, ...refused] };
  await terminal.write(given.has("json") ? describeAsJson(told, files) : describe(told, files, paths, isDry));
  return 0;
}

/** Reads the original; changes nothing. */
export function readPlan(files: OriginalFiles, except: readonly string[], paths: Paths): ImportPlan {
  const read = (file: string | undefined): IniDocument =>
    file === undefined ? IniDocument.parse("") : readConfigFile(file).document;
  const store = new ConfigStore({ paths, io: configIo });
  const original = {
    gatewayCfg: read(files.gatewayCfg),
    engineConfig: read(files.engineConfig),
    gmqCfg: read(files.gmqCfg),
    programFiles: programFilesIn(files.programsDir),
    except,
  };
  return planImport(original, (change) => {
    const [fault] = store.faultsOf([change]);
    return fault === undefined
      ? undefined
      : new ConfigError([{ ...fault, file: "the original's configuration" }]).message;
  });
}

function programFilesIn(directory: string): ReturnType<typeof readProgramFile>[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => name.endsWith(".conf"))
    .sort()
    .map((name) => join(directory, name))
    .map((file) => readProgramFile(file, readFileSync(file, "utf8")));
}

function refuseOtherIdentity({ changes }: ImportPlan, { gatewayCfg }: Paths): void {
  const own = readCik(gatewayCfg);
  const theirs = changes.find(({ section, key }) => section === "device" && key === "cik")?.value;
  if (own === undefined || own === theirs) return;
  throw new CommandError(`${gatewayCfg} has a CIK of its own: --replace puts the original's in its place`);
}

function shownChanges({ changes }: ImportPlan): readonly string[] {
  return changes.map(({ section, key, value }) => `[${section}] ${key} = ${masked(key, value)}`);
}

function describeAsJson(plan: ImportPlan, files: OriginalFiles): string {
  const { apps, emptiedFiles, originalParts, notes, queueChanges } = plan;
  const shown = {
    files,
    settings: shownChanges(plan),
    queue: queueChanges.map(({ section, key }) => `[${section}] ${key}`),
    apps: apps.map(({ name, version, isVersionKnown, file }) => ({ name, version, isVersionKnown, file })),
    emptiedFiles,
    originalParts,
    notes,
  };
  return `${JSON.stringify(shown, null, 2)}\n`;
}

function describe(plan: ImportPlan, files: OriginalFiles, paths: Paths, isDry: boolean): string {
  const found = [files.gatewayCfg, files.engineConfig, files.gmqCfg].filter((file) => file !== undefined);
  const apps = plan.apps.map(
    ({ name, version, isVersionKnown, file }) =>
      `  ${name} ${version}${isVersionKnown ? "" : " (its version is not known)"} from ${file}`,
  );
  const part = (title: string, lines: readonly string[]): readonly string[] =>
    lines.length === 0 ? [] : [title, ...lines];
  return [
    ...part(
      "Read:",
      found.map((file) => `  ${file}`),
    ),
    ...part(
      "Settings:",
      shownChanges(plan).map((line) => `  ${line}`),
    ),
    ...part(
      "Queue:",
      plan.queueChanges.map(({ section, key, value }) => `  [${section}] ${key} = ${value}`),
    ),
    ...part("Applications:", apps),
    ...part(
      "Not taken over:",
      plan.notes.map((note) => `  ${note}`),
    ),
    "",
    ...(isDry ? ["Nothing was changed (--dry-run)."] : nextSteps(plan, paths)),
    "",
  ].join("\n");
}

function nextSteps({ apps, emptiedFiles }: ImportPlan, paths: Paths): readonly string[] {
  const stop =
    emptiedFiles.length === 0
      ? []
      : [
          `  move ${emptiedFiles.join(", ")} away, and 'supervisorctl update' (ends the original engine and these programs)`,
        ];
  const start = [
    `  systemctl restart gateway-engine${apps.length === 0 ? "" : " && systemctl start gateway-engine-apps"}`,
  ];
  return [
    `Applications wait in ${waitingApps(paths)} for the engine. Next, since two engines of one identity void each other's CIK:`,
    ...stop,
    ...start,
  ];
}
