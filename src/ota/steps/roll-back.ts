import { describeError } from "../../core/errors.ts";
import { isDatabaseTrouble, isDiskTrouble, StepFailure } from "../errors.ts";
import {
  type InstallerResult,
  type JobEvent,
  type KeptVersion,
  noResult,
  type RollingBack,
} from "../state-machine.ts";
import { type OnStarted, runInstaller } from "./script.ts";
import { joinResults } from "./script-result.ts";
import type { StepContext } from "./step.ts";
import { deploy, describeStatus, hasFailed, settled, withdraw } from "./takeover.ts";

type RolledBack = Extract<JobEvent, { type: "rolled-back" }>;

/**
 * Puts the earlier version back: runs its installer again, since the later one may have overwritten what it had put
 * outside of its directory, and has supervision run it. Without an earlier version the app is withdrawn. May be repeated.
 *
 * What can be put back is put back even when a part of it fails: an app whose installer does not repeat is better than none.
 *
 * @throws StepFailure when something of it failed, saying where that leaves the app; the signal's reason when aborted
 */
export async function rollBack(
  context: StepContext,
  state: RollingBack,
  onStarted: OnStarted,
): Promise<RolledBack> {
  const { deps } = context;
  if (state.to === null) {
    await withdraw(context);
    const note = "there is no earlier version: the app was withdrawn";
    return { type: "rolled-back", note, result: state.result };
  }
  const rerun = await rerunInstaller(context, state.to, onStarted);
  const trouble = rerun.trouble === undefined ? [] : [rerun.trouble];
  let where = `version ${state.to.version} runs on`;
  if (state.deployed) {
    const outcome = await putBack(context, state.to);
    where = outcome.where;
    if (outcome.failed) trouble.push(`version ${state.to.version} does not start`);
  }
  const maxBytes = deps.limits.installerOutputBytes;
  const result = {
    ...joinResults(state.result, { ...rerun.result, exitCode: null }, maxBytes),
    exitCode: state.result.exitCode,
  };
  if (trouble.length === 0) return { type: "rolled-back", note: where, result };
  throw new StepFailure([...trouble, where].join("; "), result);
}

async function rerunInstaller(
  context: StepContext,
  to: KeptVersion,
  onStarted: OnStarted,
): Promise<{ result: InstallerResult; trouble?: string }> {
  const { installer } = to;
  if (installer === null) return { result: noResult };
  // For the installer it is an update like any other, from the version that goes.
  const owner = { ...to, installer, previousVersion: context.job.version };
  const heading = `gwe: ${installer} of version ${to.version}, to put it back:\n`;
  const told = (result: InstallerResult): InstallerResult =>
    result.output === "" ? result : { ...result, output: heading + result.output };
  try {
    return { result: told(await runInstaller(context, owner, onStarted)) };
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    const { exitCode, output, outputBytesCut, message } = error;
    return {
      result: told({ exitCode, output, outputBytesCut }),
      trouble: `in version ${to.version}, ${message}`,
    };
  }
}

async function putBack(
  context: StepContext,
  { version, kind, directory }: KeptVersion,
): Promise<{ failed: boolean; where: string }> {
  const { job, signal } = context;
  try {
    await deploy(context, { name: job.app, version, kind, directory });
    if (kind !== "long-running") return { failed: false, where: `version ${version} is back` };
    const status = await settled(context);
    const failed = hasFailed(status);
    return { failed, where: `version ${version} is back: ${describeStatus(status)}` };
  } catch (error) {
    signal.throwIfAborted();
    // The version is not at fault, and will be put back when the disk takes it.
    if (isDatabaseTrouble(error) || isDiskTrouble(error)) throw error;
    return { failed: true, where: describeError(error) };
  }
}
