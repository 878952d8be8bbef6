import type { AppStatus } from "../../core/app-status.ts";
import { describeError, InvariantError } from "../../core/errors.ts";
import { StepFailure } from "../errors.ts";
import { type InstallerResult, type JobEvent, noResult } from "../state-machine.ts";
import type { Task } from "../task.ts";
import { keptVersion } from "../versions-on-disk.ts";
import { readLogTail } from "./app-log.ts";
import { noteSettings } from "./configure.ts";
import { type OnStarted, runOptional } from "./script.ts";
import type { StepContext } from "./step.ts";
import { describeStatus, hasFailed, inTime, settled, withdraw } from "./takeover.ts";

type Performed = Extract<JobEvent, { type: "performed" | "rollback-chosen" | "settings-noted" }>;

/**
 * Carries out a task other than an installation. May be repeated after a crash.
 * @throws StepFailure when it cannot be done; the signal's reason when aborted
 */
export async function perform(context: StepContext, onStarted: OnStarted): Promise<Performed> {
  const { deps, job } = context;
  const { task } = job;
  switch (task.verb) {
    case "remove":
      return remove(context, onStarted);
    case "stop":
      await inTime(context, deps.host.stopApp(job.app), "stop the app");
      return performed("");
    case "start":
      await inTime(context, deps.host.startApp(job.app), "start the app");
      return watchStart(context);
    case "restart":
      await inTime(context, deps.host.restartApp(job.app), "restart the app");
      return watchStart(context);
    case "rollback":
      return chooseVersion(context);
    case "logs":
      return tellLog(context, task);
    case "configure":
      return noteSettings(context, task.settings);
    case "install":
    case "cancel":
      throw new InvariantError("a task that is carried out elsewhere", { context: { verb: task.verb } });
  }
}

/** What `pre-remove` says is told, and does not keep the app: its owner wants to be rid of it. */
async function remove(context: StepContext, onStarted: OnStarted): Promise<Performed> {
  const { deps, job } = context;
  const installed = deps.host.installed(job.app);
  if (installed === undefined) {
    // It was there when this began: a crash came between the removal and its record.
    if (job.version !== "") return performed("");
    throw unknownApp(job.app);
  }
  const owner = { directory: installed.directory, version: installed.version, previousVersion: undefined };
  let result: InstallerResult = noResult;
  let note = "";
  try {
    result = await runOptional(context, "pre-remove", owner, onStarted);
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    const { exitCode, output, outputBytesCut, message } = error;
    result = { exitCode, output, outputBytesCut };
    note = `${message}; removed all the same`;
  }
  await withdraw(context);
  return { type: "performed", note, result };
}

async function watchStart(context: StepContext): Promise<Performed> {
  const status = await settled(context);
  if (hasFailed(status)) throw new StepFailure(`the app does not start: ${describeStatus(status)}`);
  return performed(status.state === "RUNNING" ? "" : describeStatus(status));
}

async function chooseVersion({ deps, job, versions }: StepContext): Promise<Performed> {
  const installed = deps.host.installed(job.app);
  if (installed === undefined) throw unknownApp(job.app);
  for (const { directory, version } of versions.installed(job.app)) {
    if (directory === installed.directory) continue;
    const to = await keptVersion(deps.platform.files, { version, directory });
    // A one-off is an act: there is nothing of it to go back to.
    if (to === undefined || to.kind === "one-off") continue;
    return { type: "rollback-chosen", to, note: `asked to go back from version ${installed.version}` };
  }
  throw new StepFailure(`no version of ${job.app} before ${installed.version} is kept on this gateway`);
}

async function tellLog(
  { deps, job, signal }: StepContext,
  { lines }: Extract<Task, { verb: "logs" }>,
): Promise<Performed> {
  const { host, limits, platform, redact } = deps;
  const status: AppStatus = await host.settled(job.app, 0, signal);
  const { logFile } = status;
  if (logFile === undefined) throw new StepFailure(`${job.app} has no log file`);
  try {
    const maxBytes = limits.installerOutputBytes;
    const { text, lines: told } = await readLogTail({ files: platform.files, redact }, logFile, {
      lines,
      maxBytes,
    });
    const note = `the last ${told} lines of ${logFile}`;
    return { type: "performed", note, result: { ...noResult, output: text } };
  } catch (error) {
    throw new StepFailure(`${logFile} cannot be read: ${describeError(error)}`, { cause: error });
  }
}

function performed(note: string): Performed {
  return { type: "performed", note, result: noResult };
}

function unknownApp(app: string): StepFailure {
  return new StepFailure(`no app named ${JSON.stringify(app)} is installed`);
}
