import type { Job, Journal } from "./journal.ts";
import { isCancellable, isEnd, type JobEvent, noResult, transition } from "./state-machine.ts";

/** A job before and after an event that was applied to it. */
export interface Move {
  readonly job: Job;
  readonly event: JobEvent;
}

/**
 * What the waiting cancel jobs come to: each ends at once, out of its turn, with the jobs that it calls off. Later
 * commands than its own are not meant by it.
 */
export function planCancellations(journal: Journal): readonly Move[] {
  const jobs = journal.unendedJobs();
  const moves: Move[] = [];
  const gone = new Set<number>();
  for (const cancel of jobs.filter(({ task }) => task.verb === "cancel")) {
    const meant = jobs.filter((job) => isMeant(journal, cancel, job) && !gone.has(job.id));
    const calledOff = meant.filter(({ state }) => isCancellable(state));
    const tooLate = meant.filter(({ state }) => !isCancellable(state) && !isEnd(state));
    const by = `called off by command ${journal.command(cancel.command).reportId}`;
    for (const job of calledOff) {
      gone.add(job.id);
      moves.push({ job, event: { type: "cancelled", note: by } });
    }
    moves.push({ job: cancel, event: outcome(calledOff, tooLate) });
  }
  return moves.filter(({ job, event }) => transition(job, event) !== job);
}

function isMeant(journal: Journal, cancel: Job, job: Job): boolean {
  if (job.command >= cancel.command || job.task.verb === "cancel") return false;
  return job.app === cancel.app || journal.command(job.command).reportId === cancel.app;
}

function outcome(calledOff: readonly Job[], tooLate: readonly Job[]): JobEvent {
  const names = (jobs: readonly Job[]): string =>
    jobs
      .map(({ task, app, version }) => [task.verb, app, version].filter((part) => part !== "").join(" "))
      .join(", ");
  const late = tooLate.length === 0 ? "" : `too late for what has begun: ${names(tooLate)}`;
  if (calledOff.length > 0) {
    const note = [`called off: ${names(calledOff)}`, late].filter((part) => part !== "").join("; ");
    return { type: "performed", note, result: noResult };
  }
  return {
    type: "failed",
    note: late || "nothing of that name waits or is being downloaded",
    result: noResult,
  };
}
