import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { type Paths, readCik } from "../../config/index.ts";
import { IniDocument } from "../../core/ini.ts";
import { durableFiles } from "../../platform/durable-files.ts";
import { ensureDirectory, fsyncDirectory, writeFileAtomic } from "../../platform/files.ts";
import { moveFile } from "../../platform/move-file.ts";
import { placeLink } from "../../platform/symbolic-link.ts";
import type { ServiceSystem } from "./service-system.ts";
import type { TakeOver, TakeOverJournal } from "./state.ts";

const commands = ["gwe", "gdc", "gmq"];
const engine = "gateway-engine.service";
const pm2 = "gateway-engine-pm2.service";
const apps = "gateway-engine-apps.service";
export const takeOverUnit = "gateway-engine-take-over.service";

export interface StepContext {
  readonly paths: Paths;
  readonly journal: TakeOverJournal;
  /** Where this engine's versions lie; `/opt/gateway-engine`. */
  readonly prefix: string;
  readonly places: MachinePlaces;
  readonly services: ServiceSystem;
}

/** Where the machine has what a take-over changes, other than the two engines' own. Absolute. */
export interface MachinePlaces {
  /** Commands. */
  readonly links: string;
  readonly units: string;
  /** What is started at boot. */
  readonly wants: string;
}

/** @param root `/`; in proofs, of a disk that is looked at */
export function machinePlaces(root: string): MachinePlaces {
  const units = join(root, "etc/systemd/system");
  return { links: join(root, "usr/local/bin"), units, wants: join(units, "multi-user.target.wants") };
}

/** Files that stand where this engine's commands are to be, and are not its own. */
export function foreignCommands({ prefix, places }: StepContext): readonly string[] {
  return commands
    .map((name) => `${places.links}/${name}`)
    .filter((path) => existsSync(path) && !isOwnLink(path, prefix));
}

function isOwnLink(path: string, prefix: string): boolean {
  try {
    return readlinkSync(path).startsWith(`${prefix}/`);
  } catch {
    // A file of its own.
    return false;
  }
}

/** Stops the original with its applications, and starts this engine with them. May be repeated from any point. */
export async function switchOver(state: TakeOver, context: StepContext): Promise<void> {
  const { journal, prefix, places, services } = context;
  const supervisord = services.supervisord(state.supervisorctl);
  // Where an earlier try came further, this engine's command is there already: it must not take the place of what is kept.
  for (const file of state.files) if (!isOwnLink(file, prefix)) moveFile(file, journal.kept(file));
  await supervisord.update();
  if (state.supervisorUnit !== null) await services.systemctl("disable", "--now", state.supervisorUnit);
  for (const name of state.supervisorUnit === null ? commands : [...commands, "supervisorctl"]) {
    placeLink(`${prefix}/current/bin/${name}`, `${places.links}/${name}`);
  }
  await enable(engine, context);
  placeLink(`${places.units}/${apps}`, `${places.wants}/${apps}`);
  await services.systemctl("start", "--no-block", engine);
  await services.systemctl("start", "--no-block", apps);
}

/** Has a unit started at boot; durable when it resolves, which systemctl does not see to. */
export async function enable(unit: string, { places, services }: StepContext): Promise<void> {
  await services.systemctl("enable", unit);
  ensureDirectory(places.wants);
  fsyncDirectory(places.wants);
}

/** Ends this engine with all it runs, and puts the original back as it was. May be repeated from any point. */
export async function putBack(state: TakeOver, context: StepContext): Promise<void> {
  const { paths, journal, prefix, places, services } = context;
  await services.systemctl("disable", engine);
  await services.systemctl("stop", apps, engine, pm2);
  await durableFiles.remove(`${places.wants}/${apps}`);
  for (const name of [...commands, "supervisorctl"]) {
    if (isOwnLink(`${places.links}/${name}`, prefix)) await durableFiles.remove(`${places.links}/${name}`);
  }
  keepNewCik(state, paths);
  for (const file of state.files) moveFile(journal.kept(file), file);
  const supervisord = services.supervisord(state.supervisorctl);
  if (state.supervisorUnit !== null) {
    await enable(state.supervisorUnit, context);
    await services.systemctl("start", state.supervisorUnit);
  }
  await supervisord.update();
  const was = (pattern: RegExp): string[] =>
    Object.entries(state.formerStates ?? {})
      .filter(([, former]) => pattern.test(former))
      .map(([name]) => name);
  await supervisord.start(was(/^(RUNNING|STARTING)$/));
  await supervisord.stop(was(/^STOPPED$/));
}

/** Where this engine had to activate again, the original's CIK is void. */
function keepNewCik({ originalCfg }: TakeOver, { gatewayCfg }: Paths): void {
  const cik = readCik(gatewayCfg);
  if (cik === undefined || !existsSync(originalCfg)) return;
  const document = IniDocument.parse(readFileSync(originalCfg, "latin1"));
  if (document.get("device", "cik")?.value === cik) return;
  writeFileAtomic(originalCfg, Buffer.from(document.with("device", "cik", cik).toString(), "latin1"));
}

/** Removes this engine from a gateway that is the original's again. */
export async function removeItself({ paths, prefix, places, services }: StepContext): Promise<void> {
  await services.systemctl("disable", takeOverUnit);
  for (const unit of [engine, pm2, apps, takeOverUnit]) await durableFiles.remove(`${places.units}/${unit}`);
  await services.systemctl("daemon-reload");
  for (const path of [paths.etcDir, paths.runDir, prefix]) await durableFiles.remove(path);
  // Last, for it says what this is at.
  await durableFiles.remove(paths.libDir);
}
