import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { type Paths, readCik } from "../../config/index.ts";
import { IniDocument } from "../../core/ini.ts";
import { durableFiles } from "../../platform/durable-files.ts";
import { writeFileAtomic } from "../../platform/files.ts";
import { moveFile } from "../../platform/move-file.ts";
import { placeLink } from "../../platform/symbolic-link.ts";
import { runCommand } from "../doctor/command-output.ts";
import type { TakeOver, TakeOverJournal } from "./state.ts";
import { Supervisord } from "./supervisord.ts";

const commands = ["gwe", "gdc", "gmq"];
const linksDir = "/usr/local/bin";
const wants = "/etc/systemd/system/multi-user.target.wants";
const engine = "gateway-engine.service";
const pm2 = "gateway-engine-pm2.service";
const apps = "gateway-engine-apps.service";
export const takeOverUnit = "gateway-engine-take-over.service";

export interface StepContext {
  readonly paths: Paths;
  readonly journal: TakeOverJournal;
  /** Where this engine's versions lie; `/opt/gateway-engine`. */
  readonly prefix: string;
}

/** Files that stand where this engine's commands are to be, and are not its own. */
export function foreignCommands(prefix: string): readonly string[] {
  return commands
    .map((name) => `${linksDir}/${name}`)
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
export async function switchOver(state: TakeOver, { journal, prefix }: StepContext): Promise<void> {
  const supervisord = new Supervisord(state.supervisorctl);
  for (const file of state.files) moveFile(file, journal.kept(file));
  await supervisord.update();
  if (state.supervisorUnit !== null) await systemctl("disable", "--now", state.supervisorUnit);
  for (const name of state.supervisorUnit === null ? commands : [...commands, "supervisorctl"]) {
    placeLink(`${prefix}/current/bin/${name}`, `${linksDir}/${name}`);
  }
  placeLink(`/etc/systemd/system/${apps}`, `${wants}/${apps}`);
  await systemctl("enable", engine);
  await systemctl("start", "--no-block", engine);
  await systemctl("start", "--no-block", apps);
}

/** Ends this engine with all it runs, and puts the original back as it was. May be repeated from any point. */
export async function putBack(state: TakeOver, { paths, journal, prefix }: StepContext): Promise<void> {
  await systemctl("disable", engine);
  await systemctl("stop", apps, engine, pm2);
  await durableFiles.remove(`${wants}/${apps}`);
  for (const name of [...commands, "supervisorctl"]) {
    if (isOwnLink(`${linksDir}/${name}`, prefix)) await durableFiles.remove(`${linksDir}/${name}`);
  }
  keepNewCik(state, paths);
  for (const file of state.files) moveFile(journal.kept(file), file);
  if (state.supervisorUnit !== null) await systemctl("enable", "--now", state.supervisorUnit);
  const supervisord = new Supervisord(state.supervisorctl);
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
export async function removeItself({ paths, prefix }: StepContext): Promise<void> {
  await systemctl("disable", takeOverUnit);
  for (const unit of [engine, pm2, apps, takeOverUnit])
    await durableFiles.remove(`/etc/systemd/system/${unit}`);
  await systemctl("daemon-reload");
  for (const path of [paths.etcDir, paths.runDir, prefix]) await durableFiles.remove(path);
  // Last, for it says what this is at.
  await durableFiles.remove(paths.libDir);
}

export async function systemctl(...args: readonly string[]): Promise<string | undefined> {
  return runCommand("systemctl", args, { acceptFailure: true, timeoutMs: 180_000 });
}
