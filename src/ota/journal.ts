import type { Database } from "better-sqlite3";
import { JournalError } from "./errors.ts";
import { parseJobState, parseTask } from "./schema.ts";
import { isEnd, type JobProgress, type JobState, noResult } from "./state-machine.ts";
import type { Task } from "./task.ts";

/** Where a job's package comes from: Murano's content area, or a file of the caller's own (absolute). */
export type PackageSource =
  | {
      readonly kind: "content";
      readonly id: string;
      /** As the command gives them; null where it doesn't. */
      readonly sha256: string | null;
      readonly signature: string | null;
    }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "none" };

export interface Job extends JobProgress {
  readonly id: number;
  readonly command: number;
  readonly task: Task;
  readonly app: string;
  readonly version: string;
  readonly source: PackageSource;
  /** Unix milliseconds; null until then. */
  readonly startedAtMs: number | null;
  readonly finishedAtMs: number | null;
}

export interface NewJob {
  readonly task: Task;
  readonly app: string;
  readonly version: string;
  readonly source: PackageSource;
  readonly state: JobState;
}

/** Who sent a command: Murano, or somebody on the gateway itself. */
export type CommandSource = "engine_fetch" | "local";

export interface NewCommand {
  readonly reportId: string;
  readonly operatorId: string | undefined;
  readonly serverTimestamp: number | undefined;
  readonly textHash: string;
  readonly source: CommandSource;
  readonly reportWanted: boolean;
  readonly problems: readonly string[];
  readonly open: boolean;
}

export interface Command {
  readonly seq: number;
  readonly reportId: string;
  readonly source: CommandSource;
  readonly reportWanted: boolean;
  readonly problems: readonly string[];
  readonly open: boolean;
  readonly ended: boolean;
}

/** What tells a command from another. */
export interface CommandIdentity {
  readonly operatorId: string | undefined;
  readonly serverTimestamp: number | undefined;
  readonly textHash: string;
}

interface CommandRow {
  seq: number;
  report_id: string;
  source: string;
  report_wanted: number;
  problems: string;
  open: number;
  ended: number;
}

interface JobRow {
  id: number;
  command: number;
  app: string;
  version: string;
  task: string | null;
  content_id: string | null;
  local_file: string | null;
  sha256: string | null;
  signature?: string | null;
  state: string;
  transitions: number;
  started_at: number | null;
  finished_at: number | null;
}

/** The durable record of commands and jobs. Every method is one commit, or part of the caller's transaction. */
export class Journal {
  private readonly db: Database;
  private readonly anyOpen;

  constructor(db: Database) {
    this.db = db;
    this.anyOpen = db.prepare("SELECT 1 FROM ota_commands WHERE open = 1 LIMIT 1");
  }

  transaction<T>(work: () => T): T {
    return this.db.transaction(work).immediate();
  }

  /** The open command that this would repeat. An id counts alone; without one, text and, where known, time. */
  findOpen({ operatorId, serverTimestamp, textHash }: CommandIdentity): Command | undefined {
    const row =
      operatorId === undefined
        ? this.db
            .prepare<[string, number | null, number | null], CommandRow>(
              `SELECT * FROM ota_commands WHERE open = 1 AND operator_id IS NULL AND text_hash = ?
               AND (? IS NULL OR server_timestamp IS NULL OR server_timestamp = ?) ORDER BY seq DESC`,
            )
            .get(textHash, serverTimestamp ?? null, serverTimestamp ?? null)
        : this.db
            .prepare<[string], CommandRow>(
              "SELECT * FROM ota_commands WHERE open = 1 AND operator_id = ? ORDER BY seq DESC",
            )
            .get(operatorId);
    return row && commandFrom(row);
  }

  addCommand(command: NewCommand, jobs: readonly NewJob[], now: number): Command {
    const { lastInsertRowid } = this.db
      .prepare(
        `INSERT INTO ota_commands (report_id, operator_id, server_timestamp, text_hash, source, report_wanted,
           problems, received_at, open, ended) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`,
      )
      .run(
        command.reportId,
        command.operatorId ?? null,
        command.serverTimestamp ?? null,
        command.textHash,
        command.source,
        command.reportWanted ? 1 : 0,
        JSON.stringify(command.problems),
        now,
        command.open ? 1 : 0,
      );
    const seq = Number(lastInsertRowid);
    for (const job of jobs) this.addJob(seq, job, now);
    return this.command(seq);
  }

  command(seq: number): Command {
    const row = this.db.prepare<[number], CommandRow>("SELECT * FROM ota_commands WHERE seq = ?").get(seq);
    if (row === undefined) throw new JournalError("no such command", { context: { seq } });
    return commandFrom(row);
  }

  /** Whether the clearing of a command is not acknowledged yet. Asked at every check-in. */
  hasOpen(): boolean {
    return this.anyOpen.get() !== undefined;
  }

  /** Closes one command, or all of them: their clearing is acknowledged. */
  close(seq?: number): void {
    if (seq === undefined) this.db.prepare("UPDATE ota_commands SET open = 0 WHERE open = 1").run();
    else this.db.prepare("UPDATE ota_commands SET open = 0 WHERE seq = ?").run(seq);
  }

  endCommand(seq: number): void {
    this.db.prepare("UPDATE ota_commands SET ended = 1 WHERE seq = ?").run(seq);
  }

  /** Jobs that have not ended, in the order they are worked through. */
  unendedJobs(): readonly Job[] {
    return this.db
      .prepare<[], JobRow>("SELECT * FROM ota_jobs WHERE ended = 0 ORDER BY id")
      .all()
      .map(jobFrom);
  }

  jobsOf(command: number): readonly Job[] {
    return this.db
      .prepare<[number], JobRow>("SELECT * FROM ota_jobs WHERE command = ? ORDER BY id")
      .all(command)
      .map(jobFrom);
  }

  job(id: number): Job {
    const row = this.db.prepare<[number], JobRow>("SELECT * FROM ota_jobs WHERE id = ?").get(id);
    if (row === undefined) throw new JournalError("no such job", { context: { id } });
    return jobFrom(row);
  }

  /** The newest jobs, ended or not, newest first; of one app where it is named. */
  newestJobs(limit: number, app?: string): readonly Job[] {
    return this.db
      .prepare<[string | null, string | null, number], JobRow>(
        "SELECT * FROM ota_jobs WHERE ? IS NULL OR app = ? ORDER BY id DESC LIMIT ?",
      )
      .all(app ?? null, app ?? null, limit)
      .map(jobFrom);
  }

  hasUnended(command: number): boolean {
    return (
      this.db.prepare("SELECT 1 FROM ota_jobs WHERE command = ? AND ended = 0 LIMIT 1").get(command) !==
      undefined
    );
  }

  saveJob(job: Job): void {
    this.db
      .prepare(
        "UPDATE ota_jobs SET version = ?, state = ?, transitions = ?, ended = ?, started_at = ?, finished_at = ? WHERE id = ?",
      )
      .run(
        job.version,
        JSON.stringify(job.state),
        job.transitions,
        isEnd(job.state) ? 1 : 0,
        job.startedAtMs,
        job.finishedAtMs,
        job.id,
      );
  }

  /** Forgets the oldest ended commands beyond the newest `kept`. */
  dropOldCommands(kept: number): void {
    this.db
      .prepare(
        `DELETE FROM ota_commands WHERE ended = 1 AND open = 0 AND seq <
           (SELECT min(seq) FROM (SELECT seq FROM ota_commands ORDER BY seq DESC LIMIT ?))`,
      )
      .run(kept);
  }

  private addJob(command: number, job: NewJob, now: number): void {
    const { source } = job;
    const ended = isEnd(job.state);
    this.db
      .prepare(
        `INSERT INTO ota_jobs (command, app, version, task, content_id, local_file, sha256, signature, state,
           transitions, ended, started_at, finished_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)`,
      )
      .run(
        command,
        job.app,
        job.version,
        job.task.verb === "install" ? null : JSON.stringify(job.task),
        source.kind === "content" ? source.id : null,
        source.kind === "file" ? source.path : null,
        source.kind === "content" ? source.sha256 : null,
        source.kind === "content" ? source.signature : null,
        JSON.stringify(job.state),
        ended ? 1 : 0,
        ended ? now : null,
        ended ? now : null,
      );
  }
}

function commandFrom(row: CommandRow): Command {
  const problems: unknown = JSON.parse(row.problems);
  return {
    seq: row.seq,
    reportId: row.report_id,
    source: row.source === "local" ? "local" : "engine_fetch",
    reportWanted: row.report_wanted === 1,
    problems: Array.isArray(problems) ? problems.map(String) : [],
    open: row.open === 1,
    ended: row.ended === 1,
  };
}

/** A state that another version of the engine wrote: what was under way is unknown, so nothing is run again. */
const unreadable: JobState = {
  phase: "failed",
  note: "the journal's record of this installation cannot be read by this version",
  result: noResult,
};

function jobFrom(row: JobRow): Job {
  const task = // A look from outside may find the table as an older version made it.
    parseTask(row.task ?? null);
  return {
    id: row.id,
    command: row.command,
    task: task ?? { verb: "install" },
    app: row.app,
    version: row.version,
    source: sourceFrom(row),
    state: (task && parseJobState(row.state)) ?? unreadable,
    transitions: row.transitions,
    startedAtMs: row.started_at,
    finishedAtMs: row.finished_at,
  };
}

function sourceFrom(row: JobRow): PackageSource {
  if (row.content_id !== null) {
    return {
      kind: "content",
      id: row.content_id,
      sha256: row.sha256,
      // As with `task`: an older version's table has no such column.
      signature: row.signature ?? null,
    };
  }
  return row.local_file === null ? { kind: "none" } : { kind: "file", path: row.local_file };
}
