import { existsSync } from "node:fs";
import type { Paths } from "../../config/index.ts";
import { DeviceClient } from "../../device-client/index.ts";
import { CommandClock } from "../command-clock.ts";
import { runCommand } from "../doctor/command-output.ts";
import { explainFailure } from "../doctor/explain-failure.ts";
import { CommandError } from "../errors.ts";
import { readPlan } from "../gwe-import.ts";
import { findOriginal } from "../import/original-files.ts";
import type { ImportPlan } from "../import/plan.ts";
import { findSupervisorctl, Supervisord } from "./supervisord.ts";

export interface Preflight {
  readonly plan: ImportPlan;
  readonly originalCfg: string;
  readonly supervisorctl: string;
  /** supervisord's unit, where all of its programs are taken over. */
  readonly supervisorUnit: string | null;
}

/**
 * Whether this gateway can be taken over; changes nothing.
 * @throws CommandError saying what stands in the way
 */
export async function preflight(paths: Paths): Promise<Preflight> {
  const fail = (reason: string): never => {
    throw new CommandError(`this gateway cannot be taken over: ${reason}`);
  };
  if (process.getuid?.() !== 0) fail("this must be run as root");
  if (!existsSync("/run/systemd/system")) fail("it is not run by systemd");
  const supervisorctl =
    findSupervisorctl() ?? fail("there is no supervisorctl: where is the original engine?");
  if ((await new Supervisord(supervisorctl).states()) === undefined) fail("supervisord does not answer");
  const files = findOriginal({
    root: "/",
    gatewayCfg: undefined,
    engineConfig: undefined,
    gmqCfg: undefined,
    programsDir: undefined,
  });
  const originalCfg = files.gatewayCfg ?? fail("the original's Gateway.cfg was not found");
  const plan = readPlan(files, [], paths);
  const value = (key: string): string | undefined =>
    plan.changes.find((change) => change.section === "device" && change.key === key)?.value;
  const vendor = value("vendor") ?? value("model") ?? fail(`${originalCfg} names no product`);
  const cik = value("cik") ?? fail(`${originalCfg} has no CIK: the original has not activated`);
  if (value("uuid") === undefined && value("iface") === undefined)
    fail(`${originalCfg} has neither uuid nor iface`);
  const shared = plan.apps.find(({ file }) => !plan.emptiedFiles.includes(file));
  if (shared !== undefined)
    fail(
      `${shared.file} holds ${shared.name} and something that stays supervisord's: put them into files of their own`,
    );
  await meet(value("server_url") ?? `https://${vendor.toLowerCase()}.m2.exosite.io`, cik);
  const keepsSome = plan.notes.some((note) => note.includes("stays supervisord's"));
  return { plan, originalCfg, supervisorctl, supervisorUnit: keepsSome ? null : await supervisorUnit() };
}

/** The new engine's own way to Murano, with the original's CIK: nothing else is asked than what the original asks too. */
async function meet(baseUrl: string, cik: string): Promise<void> {
  const clock = new CommandClock(Date.now);
  const client = new DeviceClient({ baseUrl, cik, certificateTime: clock.certificateTime });
  const signal = AbortSignal.timeout(60_000);
  try {
    await clock.askWherePlainlyWrong(client, { signal });
    await client.read(["update_interval"], { signal });
  } catch (error) {
    const { text, remedy } = explainFailure(error, new URL(baseUrl).host);
    throw new CommandError(`this gateway cannot be taken over: ${text}; ${remedy}`, { cause: error });
  } finally {
    client.close();
  }
}

async function supervisorUnit(): Promise<string | null> {
  for (const unit of ["supervisor.service", "supervisord.service"]) {
    if ((await runCommand("systemctl", ["show", "-P", "ActiveState", unit])) === "active") return unit;
  }
  return null;
}
