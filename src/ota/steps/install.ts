import { delimiter, join } from "node:path";
import type { ProcessOutcome } from "../../platform/run-process.ts";
import { StepFailure } from "../errors.ts";
import { installerEnvironment } from "../installer-environment.ts";
import type { OtaDependencies, OtaPlatform } from "../ports.ts";
import type { InstallerProcess, InstallerResult, UnpackedApp } from "../state-machine.ts";
import { decodeOutput } from "../text.ts";
import type { StepContext } from "./step.ts";

/**
 * Runs the package's installer and resolves to what it left.
 *
 * @param onStarted commits the installer's identity; the installer does nothing before this has returned
 * @throws StepFailure, with the installer's output, unless it ended with exit status 0; the signal's reason when aborted
 */
export async function install(
  { deps, job, signal }: StepContext,
  app: UnpackedApp,
  onStarted: (process: InstallerProcess) => void,
): Promise<InstallerResult> {
  const { limits, platform, host } = deps;
  const env = installerEnvironment(deps.environment, {
    name: job.app,
    version: job.version,
    directory: app.directory,
    previousVersion: host.installed(job.app)?.version,
  });
  const command = await installerCommand(platform, app, env.PATH ?? "");
  let unrecorded: { readonly error: unknown } | undefined;
  const outcome = await platform.runProcess({
    ...command,
    cwd: app.directory,
    env,
    timeoutMs: limits.installerTimeoutMs,
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
  const complaint = complaintAbout(outcome, app.installer, limits.installerTimeoutMs);
  if (complaint === undefined) return result;
  throw new StepFailure(complaint, {
    cause: outcome.failure,
    exitCode: result.exitCode,
    output: result.output,
    outputBytesCut: result.outputBytesCut,
  });
}

/**
 * Ends what the engine's crash left of an installer: the script itself, and what it started, which may have outlived
 * it. After a reboot its pid means nothing.
 */
export async function endLeftInstaller(
  { platform, clock, limits }: Pick<OtaDependencies, "platform" | "clock" | "limits">,
  left: InstallerProcess,
  app: UnpackedApp,
): Promise<void> {
  if (left.bootId !== platform.bootId()) return;
  const mark = { name: "GWE_APP_DIR", value: app.directory };
  const isLeft = (): boolean => platform.isSameProcessAlive(left) || platform.isGroupAlive(left.pid, mark);
  if (!isLeft()) return;
  platform.signalGroup(left.pid, "SIGTERM");
  const startedAt = clock.monotonic();
  while (isLeft() && clock.monotonic() - startedAt < limits.installerKillAfterMs) await clock.sleep(50);
  if (isLeft()) platform.signalGroup(left.pid, "SIGKILL");
  while (isLeft()) await clock.sleep(10);
}

async function installerCommand(
  platform: OtaPlatform,
  app: UnpackedApp,
  path: string,
): Promise<{ command: string; args: readonly string[] }> {
  if (app.installer === "install.sh") return { command: join(app.directory, "install.sh"), args: [] };
  for (const name of ["python", "python3"]) {
    for (const directory of path.split(delimiter)) {
      const command = join(directory, name);
      if (directory !== "" && (await platform.files.isExecutable(command))) {
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

function complaintAbout(
  outcome: ProcessOutcome,
  installer: UnpackedApp["installer"],
  timeoutMs: number,
): string | undefined {
  switch (outcome.end) {
    case "exited":
      if (outcome.exitCode === 0) return undefined;
      return `${installer} ended with exit status ${outcome.exitCode}`;
    case "signaled":
      return `${installer} was ended by ${outcome.signal}`;
    case "timed-out":
      return `${installer} did not end within ${Math.round(timeoutMs / 1000)} seconds and was ended with all its children`;
    case "not-started":
    case "aborted":
      return `${installer} could not be started`;
  }
}
