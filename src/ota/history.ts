import type { Database } from "better-sqlite3";
import type { JobRecord } from "../core/control-api.ts";
import { reportOf } from "./fetch-status.ts";
import { type Job, Journal } from "./journal.ts";
import { isEnd } from "./state-machine.ts";

/** Jobs that one look at the past shows at most. */
const maxRecords = 200;

/** The newest jobs, of one app where it is named, newest first. The database need only be readable. */
export function readHistory(db: Database, app?: string): readonly JobRecord[] {
  return new Journal(db).newestJobs(maxRecords, app).map(recordOf);
}

function recordOf(job: Job): JobRecord {
  const { state, task } = job;
  const common = {
    app: job.app,
    version: job.version,
    action: task.verb,
    startedAtMs: job.startedAtMs,
    finishedAtMs: job.finishedAtMs,
  };
  if (!isEnd(state)) return { ...common, status: state.phase, exitCode: null, output: "" };
  const { status, exit_code, output } = reportOf({ ...job, state });
  return { ...common, status, exitCode: exit_code, output };
}
