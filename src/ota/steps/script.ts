import { delimiter, join } from "node:path";
import { describeError } from "../../core/errors.ts";
import { ScriptLostError, StepFailure } from "../errors.ts";
import { installerEnvironment } from "../installer-environment.ts";
import type { OtaPlatform } from "../ports.ts";
import { type InstallerProcess, type InstallerResult, noResult, type UnpackedApp } from "../state-machine.ts";
import { endLeftScript } from "./left-script.ts";
import { complaintAbout, resultOf } from "./script-result.ts";
import type { StepContext } from "./step.ts";

type Installer = UnpackedApp["installer"];

/** Optional scripts of a package, beside its installer. */
export type OptionalScript = "pre-install" | "post-install" | "pre-remove" | "health";

/** Commits the identity of a script's attendant; the script does nothing before this has returned. */
export type OnStarted = (process: InstallerProcess) => void;

/** Whose script it is. */
export interface ScriptOwner {
  readonly version: string;
  /** Absolute; where the script lies and runs. */
  readonly directory: string;
  readonly previousVersion: string | undefined;
}

interface Script extends ScriptOwner {
  readonly name: string;
  readonly timeoutMs: number;
  /** How it is run. @throws StepFailure when this gateway cannot */
  readonly line: () => Promise<{ readonly command: string; readonly args: readonly string[] }>;
}

/**
 * Runs a version's installer and resolves to what it left. One that an earlier engine has begun with in this step is waited
 * for, or taken from disk, and not run again.
 *
 * @throws StepFailure, with its output, unless it ended with exit status 0; ScriptLostError when it was cut short; the
 *   reason for stopping when the engine stops, while the script runs on
 */
export async function runInstaller(
  context: StepContext,
  owner: ScriptOwner & { readonly installer: Installer },
  onStarted: OnStarted,
): Promise<InstallerResult> {
  const { deps } = context;
  const line = (): ReturnType<Script["line"]> =>
    installerCommand(deps.platform, owner, environmentFor(context, owner).PATH ?? "");
  const { installerTimeoutMs: timeoutMs } = deps.limits;
  return runScript(context, { ...owner, name: owner.installer, timeoutMs, line }, onStarted);
}

/**
 * Runs an optional script as an installer is run; `noResult` when the version has none. Packages from before there were
 * such scripts may hold a file of that name: only an executable one is meant.
 * @throws as `runInstaller`
 */
export async function runOptional(
  context: StepContext,
  name: OptionalScript,
  owner: ScriptOwner,
  onStarted: OnStarted,
): Promise<InstallerResult> {
  const { limits } = context.deps;
  if (!context.runs.isPending(name) && !(await hasScript(context, name, owner.directory))) return noResult;
  const timeoutMs = name === "health" ? limits.healthTimeoutMs : limits.installerTimeoutMs;
  const line = async (): ReturnType<Script["line"]> => ({ command: join(owner.directory, name), args: [] });
  return runScript(context, { ...owner, name, timeoutMs, line }, onStarted);
}

export function hasScript(
  { deps }: Pick<StepContext, "deps">,
  name: OptionalScript,
  directory: string,
): Promise<boolean> {
  return deps.platform.files.isExecutable(join(directory, name));
}

function environmentFor(
  { deps, job }: StepContext,
  { version, directory, previousVersion }: ScriptOwner,
  script?: string,
): Readonly<Record<string, string>> {
  const facts = { job: job.id, script, name: job.app, version, directory, previousVersion };
  return installerEnvironment(deps.environment, facts);
}

async function runScript(
  context: StepContext,
  script: Script,
  onStarted: OnStarted,
): Promise<InstallerResult> {
  const { deps, runs, stopping } = context;
  const { clock, limits, logger, platform } = deps;
  const directory = runs.directoryOf(script.name);
  const begun = runs.recall(script.name);
  const former = begun?.attendant;
  if (former !== undefined) {
    await untilEnded(context, script, former, (signal) => platform.attendantEnded(former, directory, signal));
  }
  const attendant = begun === undefined ? await runAnew(context, script, directory, onStarted) : former;
  const outcome = platform.attendedOutcome(directory, limits.installerOutputBytes);
  if (outcome === undefined) {
    if (attendant === undefined) {
      logger.warn("what came of an earlier script is lost; it is not run again", { script: script.name });
      return noResult;
    }
    // Where everything is being ended, this engine is too: then the next one decides.
    if (begun === undefined) await clock.sleep(limits.lostScriptGraceMs, stopping);
    await endScript(context, script, attendant);
    throw new ScriptLostError(`${script.name} was cut short`);
  }
  if (outcome.end === "timed-out" && attendant !== undefined) await endScript(context, script, attendant);
  const result = resultOf(outcome, deps.redact);
  const complaint = complaintAbout(outcome, script.name);
  if (complaint === undefined) return result;
  throw new StepFailure(complaint, result);
}

/** Has the script run from its beginning to its end. */
async function runAnew(
  context: StepContext,
  script: Script,
  directory: string,
  onStarted: OnStarted,
): Promise<InstallerProcess> {
  const { deps, runs, stopping } = context;
  const { limits, platform } = deps;
  stopping.throwIfAborted();
  const line = await script.line();
  // Only a crash before the attendant was on record can have left it: nothing was run.
  await platform.files.remove(directory);
  platform.files.ensureDirectory(directory, 0o700);
  let attendant: InstallerProcess | undefined;
  const { ended, leave } = platform.startAttended({
    ...line,
    attendantFile: deps.attendantFile,
    directory,
    cwd: script.directory,
    env: environmentFor(context, script, script.name),
    timeoutMs: script.timeoutMs,
    killAfterMs: limits.installerKillAfterMs,
    outputBytes: limits.installerOutputBytes,
    onStarted: (pid) => {
      attendant = { ...identify(platform, pid), run: runs.nameOf(script.name) };
      onStarted(attendant);
    },
  });
  if (attendant === undefined) {
    const reason = await ended.catch((error: unknown) => describeError(error));
    throw new StepFailure(`${script.name} could not be started: ${reason}`);
  }
  try {
    await untilEnded(context, script, attendant, () => ended);
  } finally {
    leave();
  }
  return attendant;
}

/**
 * @throws the reason for stopping when the engine stops: an installer runs on, for the next engine to go on with, and
 *   `health` is ended, for the next one asks it anew
 */
async function untilEnded(
  context: StepContext,
  script: Script,
  attendant: InstallerProcess,
  ended: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { deps, job, stopping } = context;
  const { clock, limits } = deps;
  const over = new AbortController();
  const signal = AbortSignal.any([stopping, over.signal]);
  const longestMs = script.timeoutMs + limits.installerKillAfterMs + limits.attendantGraceMs;
  const tooLong = clock.sleep(longestMs, signal).then(() => endScript(context, script, attendant));
  try {
    await Promise.race([ended(signal), tooLong]);
  } catch (error) {
    if (stopping.aborted && job.state.phase === "probation") await endScript(context, script, attendant);
    throw error;
  } finally {
    tooLong.catch(() => undefined);
    over.abort();
  }
}

function endScript(
  { deps, job, runs }: StepContext,
  { directory, name }: Script,
  attendant: InstallerProcess,
): Promise<void> {
  const runDirectory = runs.directoryOf(name);
  return endLeftScript(deps, { attendant, runDirectory, job: job.id, directory, script: name });
}

/** How an installer is run. @throws StepFailure when this gateway cannot run it */
async function installerCommand(
  platform: OtaPlatform,
  { installer, directory }: { readonly installer: Installer; readonly directory: string },
  path: string,
): Promise<{ command: string; args: readonly string[] }> {
  if (installer === "install.sh") return { command: join(directory, "install.sh"), args: [] };
  for (const name of ["python", "python3"]) {
    for (const place of path.split(delimiter)) {
      const command = join(place, name);
      if (place !== "" && (await platform.files.isExecutable(command))) {
        return { command, args: ["setup.py", "install"] };
      }
    }
  }
  throw new StepFailure(
    "the package is installed by setup.py, and this gateway has neither python nor python3",
  );
}

function identify(platform: OtaPlatform, pid: number): InstallerProcess {
  // A process that is gone already has no start time; no other process has 0.
  return { pid, startTicks: platform.processStartTicks(pid) ?? 0, bootId: platform.bootId() };
}
