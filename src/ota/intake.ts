import { createHash, randomUUID } from "node:crypto";
import { basename } from "node:path";
import { PackageNameError, parsePackageName } from "../core/package-name.ts";
import type { ReportOutbox } from "../core/reports.ts";
import {
  entryForPackage,
  expectedCommand,
  type InstallEntry,
  type ParsedCommand,
  parseCommand,
} from "./command.ts";
import { encodeFetchStatus, type FetchStatusApp, reportOf } from "./fetch-status.ts";
import type { Command, CommandSource, Job, Journal, NewCommand, NewJob } from "./journal.ts";
import { type EndState, isEnd, noResult } from "./state-machine.ts";
import { type Task, verbOrder } from "./task.ts";
import type { TaskEntry } from "./task-entries.ts";
import { cutText } from "./text.ts";

export interface AcceptRequest {
  /** The value of `engine_fetch`, as read. */
  readonly text: string;
  /** When Murano got it, in its own unix seconds or milliseconds, where known: always in the same unit. */
  readonly serverTimestamp?: number | undefined;
}

export interface AcceptOutcome {
  /**
   * - `accepted`: durable, and will be worked through and reported
   * - `repeated`: the same command as one whose clearing was never acknowledged; nothing new happens
   * - `malformed`: durable as such, and reported
   *
   * In every case `engine_fetch` may be cleared now.
   */
  readonly kind: "accepted" | "repeated" | "malformed";
  /** For `acknowledgeCleared`. */
  readonly key: string;
  /** The command asks for all reports with the next check-in. */
  readonly reportWanted: boolean;
}

/** What came of a command, as reported. */
export interface CommandResult {
  readonly key: string;
  readonly source: CommandSource;
  readonly apps: readonly FetchStatusApp[];
}

export interface IntakeDependencies {
  readonly journal: Journal;
  readonly outbox: ReportOutbox;
  readonly format: "json" | "text";
  readonly now: () => number;
}

/** Where commands enter the journal, and where they leave it as reports. */
export class CommandIntake {
  private readonly with: IntakeDependencies;

  constructor(dependencies: IntakeDependencies) {
    this.with = dependencies;
  }

  /** Journals a command from Murano. Durable when it returns; `ended` is set when there is nothing left to do. */
  accept({ text, serverTimestamp }: AcceptRequest): AcceptOutcome & { readonly ended?: CommandResult } {
    const parsed = parseCommand(text);
    const textHash = createHash("sha256").update(text).digest("hex");
    const operatorId = parsed.kind === "command" ? parsed.id : undefined;
    return this.with.journal.transaction(() => {
      const open = this.with.journal.findOpen({ operatorId, serverTimestamp, textHash });
      if (open !== undefined) {
        return { kind: "repeated", key: keyOf(open), reportWanted: open.reportWanted } as const;
      }
      const { command, ended } = this.add(
        {
          reportId: operatorId ?? serverTimestamp?.toString() ?? textHash.slice(0, 16),
          operatorId,
          serverTimestamp,
          textHash,
          source: "engine_fetch",
          reportWanted: parsed.kind === "command" && parsed.report,
          problems: parsed.kind === "command" ? parsed.problems : [parsed.problem],
          open: true,
        },
        parsed.kind === "command" ? jobsFor(parsed) : [],
      );
      return {
        kind: parsed.kind === "malformed" ? "malformed" : "accepted",
        key: keyOf(command),
        reportWanted: command.reportWanted,
        ...(ended && { ended }),
      } as const;
    });
  }

  /** Journals the installation of package files that lie on this gateway (absolute paths). */
  acceptFiles(paths: readonly string[]): { readonly key: string; readonly ended?: CommandResult } {
    return this.acceptLocal(paths.map(jobForFile));
  }

  /** Journals a task that somebody on the gateway asks for. */
  acceptTask(task: Task, app: string): { readonly key: string; readonly ended?: CommandResult } {
    return this.acceptLocal([
      { task, app, version: "", source: { kind: "none" }, state: { phase: "queued" } },
    ]);
  }

  private acceptLocal(jobs: readonly NewJob[]): { readonly key: string; readonly ended?: CommandResult } {
    const reportId = `local-${randomUUID()}`;
    return this.with.journal.transaction(() => {
      const { command, ended } = this.add(
        {
          reportId,
          operatorId: reportId,
          serverTimestamp: undefined,
          textHash: "",
          source: "local",
          reportWanted: false,
          problems: [],
          open: false,
        },
        jobs,
      );
      return { key: keyOf(command), ...(ended && { ended }) };
    });
  }

  /**
   * Reports a command whose jobs have all ended. To be called in the transaction that ends the last one: then the
   * report is sent once, whatever happens. Returns undefined while there is something left to do.
   */
  finish(command: Command): CommandResult | undefined {
    const { journal, outbox, format } = this.with;
    if (command.ended || journal.hasUnended(command.seq)) return undefined;
    const apps = journal.jobsOf(command.seq).flatMap(appReport);
    journal.endCommand(command.seq);
    if (apps.length > 0 || command.problems.length > 0) {
      const complaint = command.problems.length > 0 && {
        error: command.problems.join("; "),
        expected: expectedCommand,
      };
      const value = encodeFetchStatus({ id: command.reportId, apps, ...complaint }, format);
      outbox.put("fetch_status", value, `ota-command-${command.seq}`);
    }
    return { key: keyOf(command), source: command.source, apps };
  }

  private add(newCommand: NewCommand, jobs: readonly NewJob[]): { command: Command; ended?: CommandResult } {
    const command = this.with.journal.addCommand(newCommand, jobs, this.with.now());
    const ended = this.finish(command);
    return { command, ...(ended && { ended }) };
  }
}

function keyOf(command: Pick<Command, "seq">): string {
  return String(command.seq);
}

function appReport(job: Job): readonly FetchStatusApp[] {
  const { state } = job;
  return isEnd(state) ? [reportOf({ ...job, state })] : [];
}

/** In the order in which they are worked through. */
function jobsFor({ installs, tasks }: Extract<ParsedCommand, { kind: "command" }>): readonly NewJob[] {
  return verbOrder.flatMap((verb) =>
    verb === "install"
      ? installs.map(jobForEntry)
      : tasks
          .filter((entry) => (entry.kind === "task" ? entry.task.verb : entry.verb) === verb)
          .map(jobForTask),
  );
}

function jobForTask(entry: TaskEntry): NewJob {
  const job = { app: entry.name, version: "", source: { kind: "none" } } as const;
  return entry.kind === "task"
    ? { ...job, task: entry.task, state: { phase: "received" } }
    : { ...job, task: installTask, state: endedWith("failed", entry.reason) };
}

const installTask: Task = { verb: "install" };

function jobForEntry(entry: InstallEntry): NewJob {
  if (entry.kind === "package") {
    return {
      task: installTask,
      app: entry.package.app,
      version: entry.package.version,
      source: { kind: "content", id: entry.package.file, sha256: entry.sha256, signature: entry.signature },
      state: { phase: "received" },
    };
  }
  return {
    task: installTask,
    app: entry.name,
    version: entry.version,
    source: { kind: "none" },
    state: endedWith(entry.kind === "skipped" ? "skipped" : "failed", entry.reason),
  };
}

function jobForFile(path: string): NewJob {
  try {
    const entry = entryForPackage(parsePackageName(basename(path)));
    if (entry.kind !== "package") return jobForEntry(entry);
    const { app, version } = entry.package;
    return { task: installTask, app, version, source: { kind: "file", path }, state: { phase: "queued" } };
  } catch (error) {
    if (!(error instanceof PackageNameError)) throw error;
    const app = cutText(basename(path), 120);
    const state = endedWith("failed", error.message);
    return { task: installTask, app, version: "", source: { kind: "none" }, state };
  }
}

function endedWith(phase: "failed" | "skipped", note: string): EndState {
  return { phase, note, result: noResult };
}
