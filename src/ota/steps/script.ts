import { delimiter, join } from "node:path";
import type { ProcessOutcome } from "../../platform/run-process.ts";
import { StepFailure } from "../errors.ts";
import { installerEnvironment, type ScriptMarks, scriptMarks } from "../installer-environment.ts";
import type { OtaDependencies, OtaPlatform } from "../ports.ts";
import { type InstallerProcess, type InstallerResult, noResult, type UnpackedApp } from "../state-machine.ts";
import { cutToTail, decodeOutput } from "../text.ts";
import type { StepContext } from "./step.ts";

type Installer = UnpackedApp["installer"];

/** Optional scripts of a package, beside its installer. */
export type OptionalScript = "pre-install" | "post-install" | "pre-remove" | "health";

/** Commits a script's identity; the script does nothing before this has returned. */
export type OnStarted = (process: InstallerProcess) => void;

/** Whose script it is. */
export interface ScriptOwner {
  readonly version: string;
  /** Absolute; where the script lies and runs. */
  readonly directory: string;
  readonly previousVersion: string | undefined;
}

interface ScriptRun extends ScriptOwner {
  /** For messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly timeoutMs: number;
}

/**
 * Runs a version's installer and resolves to what it left.
 * @throws StepFailure, with its output, unless it ended with exit status 0; the signal's reason when aborted
 */
export async function runInstaller(
  context: StepContext,
  owner: ScriptOwner & { readonly installer: Installer },
  onStarted: OnStarted,
): Promise<InstallerResult> {
  const { deps } = context;
  const path = environmentFor(context, owner).PATH ?? "";
  const command = await installerCommand(deps.platform, owner, path);
  const run = { ...owner, ...command, name: owner.installer, timeoutMs: deps.limits.installerTimeoutMs };
  return runScript(context, run, onStarted);
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
  if (!(await hasScript(context, name, owner.directory))) return noResult;
  const timeoutMs = name === "health" ? limits.healthTimeoutMs : limits.installerTimeoutMs;
  const command = join(owner.directory, name);
  return runScript(context, { ...owner, name, command, args: [], timeoutMs }, onStarted);
}

export function hasScript(
  { deps }: Pick<StepContext, "deps">,
  name: OptionalScript,
  directory: string,
): Promise<boolean> {
  return deps.platform.files.isExecutable(join(directory, name));
}

/** What two scripts left, one after the other: the second's exit status, and the end of both outputs. */
export function joinResults(
  first: InstallerResult,
  second: InstallerResult,
  maxBytes: number,
): InstallerResult {
  const needsNewline = first.output !== "" && second.output !== "" && !first.output.endsWith("\n");
  const whole = `${first.output}${needsNewline ? "\n" : ""}${second.output}`;
  const { tail, bytesCut } = cutToTail(whole, maxBytes);
  return {
    exitCode: second.exitCode ?? first.exitCode,
    output: tail,
    outputBytesCut: first.outputBytesCut + second.outputBytesCut + bytesCut,
  };
}

/** The result of a failed script, to be told with what came before it. */
export function afterResult(first: InstallerResult, error: unknown, maxBytes: number): unknown {
  if (!(error instanceof StepFailure)) return error;
  return new StepFailure(error.message, { cause: error, ...joinResults(first, error, maxBytes) });
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
  run: ScriptRun,
  onStarted: OnStarted,
): Promise<InstallerResult> {
  const { deps, signal } = context;
  const { limits, platform } = deps;
  let unrecorded: { readonly error: unknown } | undefined;
  const outcome = await platform.runProcess({
    command: run.command,
    args: run.args,
    cwd: run.directory,
    env: environmentFor(context, run, run.name),
    marks: scriptMarks({ job: context.job.id, directory: run.directory, script: run.name }),
    timeoutMs: run.timeoutMs,
    killAfterMs: limits.installerKillAfterMs,
    maxOutputBytes: limits.installerOutputBytes,
    signal,
    onStarted: (pid) => {
      try {
        onStarted(identify(platform, pid));
      } catch (error) {
        unrecorded = { error };
        throw error;
      }
    },
  });
  // The journal could not take it: no fault of the package, and nothing of it has run.
  if (unrecorded !== undefined) throw unrecorded.error;
  if (outcome.end === "aborted") throw signal.reason;
  const result = resultOf(outcome, deps.redact);
  const complaint = complaintAbout(outcome, run.name, run.timeoutMs);
  if (complaint === undefined) return result;
  throw new StepFailure(complaint, { cause: outcome.failure, ...result });
}

/**
 * Ends what the engine's crash left of a script: the script itself, and what it started, which may have outlived
 * it. After a reboot its pid means nothing.
 */
export async function endLeftScript(
  { platform, clock, limits }: Pick<OtaDependencies, "platform" | "clock" | "limits">,
  left: InstallerProcess,
  owner: ScriptMarks,
): Promise<void> {
  if (left.bootId !== platform.bootId()) return;
  const marks = scriptMarks(owner);
  const isLeft = (): boolean =>
    platform.isSameProcessAlive(left) || platform.processesMarked(marks).length > 0;
  const signalAll = (signal: NodeJS.Signals): void => {
    // Without its leader, the number of a group may be another's by now.
    if (platform.isSameProcessAlive(left)) platform.signalGroup(left.pid, signal);
    platform.signalMarked(marks, signal);
  };
  if (!isLeft()) return;
  signalAll("SIGTERM");
  const startedAt = clock.monotonic();
  while (isLeft() && clock.monotonic() - startedAt < limits.installerKillAfterMs) await clock.sleep(50);
  while (isLeft()) {
    signalAll("SIGKILL");
    await clock.sleep(10);
  }
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

function resultOf(outcome: ProcessOutcome, redact: (text: string) => string): InstallerResult {
  const { kept, cut } = dropTornStart(outcome);
  return {
    exitCode: outcome.exitCode ?? null,
    output: redact(decodeOutput(kept)),
    outputBytesCut: outcome.outputBytesCut + cut,
  };
}

/** Where output was cut, its first line is torn: it may begin inside a CIK, which could then not be recognised. */
function dropTornStart({ output, outputBytesCut }: ProcessOutcome): { kept: Buffer; cut: number } {
  if (outputBytesCut === 0) return { kept: output, cut: 0 };
  const newline = output.subarray(0, 1024).indexOf("\n");
  const cut = newline >= 0 ? newline + 1 : Math.min(64, output.length);
  return { kept: output.subarray(cut), cut };
}

function complaintAbout(outcome: ProcessOutcome, script: string, timeoutMs: number): string | undefined {
  switch (outcome.end) {
    case "exited":
      if (outcome.exitCode === 0) return undefined;
      return `${script} ended with exit status ${outcome.exitCode}`;
    case "signaled":
      return `${script} was ended by ${outcome.signal}`;
    case "timed-out":
      return `${script} did not end within ${Math.round(timeoutMs / 1000)} seconds and was ended with all its children`;
    case "not-started":
    case "aborted":
      return `${script} could not be started`;
  }
}
