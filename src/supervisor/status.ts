import type { AppState, ProcessStatus } from "../core/app-status.ts";
import type { DesiredApp } from "./desired-state.ts";
import type { LauncherState } from "./launcher/state-file.ts";
import { isProcessWanted } from "./process-key.ts";

/** A fault of ours or the package's that keeps the app from being started. */
export interface Problem {
  readonly detail: string;
  readonly sinceMs: number;
}

export type LogFiles = Pick<ProcessStatus, "logFile" | "stderrLogFile">;

export interface StatusFacts {
  /** A long-running app. */
  readonly app: DesiredApp;
  /** supervisord's name of the process. */
  readonly name: string;
  /** What a launcher of this boot noted last. */
  readonly state: LauncherState | undefined;
  /** The launcher that noted `state` lives. */
  readonly launcherAlive: boolean;
  readonly childAlive: boolean;
  readonly pm2Up: boolean;
  readonly problem: Problem | undefined;
  readonly logFiles: LogFiles;
  /** The same instant on both clocks. */
  readonly nowMs: number;
  readonly uptimeCs: number;
}

/** A process' state in supervisord's terms, from what is wanted and what its launcher noted. */
export function deriveStatus(facts: StatusFacts): ProcessStatus {
  const { app, name, state, problem, logFiles } = facts;
  const now = judge(facts);
  return {
    name,
    state: now.state,
    sinceMs: now.sinceMs,
    ...(now.running && state?.child && { pid: state.child.pid }),
    ...(now.running && state?.startedCs !== undefined && { startedAtMs: atMs(facts, state.startedCs) }),
    ...(state?.endedCs !== undefined && { endedAtMs: atMs(facts, state.endedCs) }),
    ...(state?.exitStatus !== undefined && { exitStatus: state.exitStatus }),
    ...(state?.signal !== undefined && { signal: state.signal }),
    ...(now.state === "EXITED" && state?.final === false && { restarting: true as const }),
    restarts: state?.generation === app.generation ? state.restarts : 0,
    ...logFiles,
    ...detailOf(now.state, now.detail ?? problem?.detail ?? state?.detail),
  };
}

interface Judgement {
  readonly state: AppState;
  readonly sinceMs: number;
  readonly running: boolean;
  readonly detail?: string;
}

function judge(facts: StatusFacts): Judgement {
  const { app, state, problem, launcherAlive } = facts;
  if (state !== undefined && launcherAlive) return judgeLiving(facts, state);
  if (problem !== undefined) return { state: "FATAL", sinceMs: problem.sinceMs, running: false };
  if (!isProcessWanted(app, facts)) {
    const endedMs = state === undefined ? 0 : atMs(facts, state.sinceCs);
    return { state: "STOPPED", sinceMs: Math.max(app.wantedSinceMs, endedMs), running: false };
  }
  if (state !== undefined && state.generation === app.generation) {
    const noted = { sinceMs: atMs(facts, state.sinceCs), running: false };
    if (state.final) return { state: state.state, ...noted };
    // Between two launchers; pm2 starts the next one.
    if (facts.pm2Up && (state.state === "BACKOFF" || state.state === "EXITED")) {
      return { state: state.state, ...noted };
    }
    return { state: "UNKNOWN", ...noted, detail: "does not run; it is about to be started again" };
  }
  if (!facts.pm2Up) {
    const detail = "does not run yet: pm2's daemon is not up";
    return { state: "UNKNOWN", sinceMs: app.wantedSinceMs, running: false, detail };
  }
  return { state: "STARTING", sinceMs: app.wantedSinceMs, running: false };
}

function judgeLiving(facts: StatusFacts, state: LauncherState): Judgement {
  const { app } = facts;
  if (app.wanted === "running" && state.generation !== app.generation) {
    // The launcher of an earlier deployment, about to be replaced: its state is not that of the wanted one.
    return facts.childAlive
      ? { state: "STOPPING", sinceMs: app.wantedSinceMs, running: true }
      : { state: "STARTING", sinceMs: app.wantedSinceMs, running: false };
  }
  const sinceMs = atMs(facts, state.sinceCs);
  if (state.state !== "STARTING") {
    return { state: state.state, sinceMs, running: state.state === "STOPPING" && facts.childAlive };
  }
  // The launcher doesn't wake up to note that a start has lasted: the clock tells.
  const lastedCs = state.startSecs * 100;
  const startedCs = state.startedCs ?? state.sinceCs;
  if (facts.childAlive && facts.uptimeCs - startedCs >= lastedCs) {
    return { state: "RUNNING", sinceMs: atMs(facts, startedCs + lastedCs), running: true };
  }
  return { state: "STARTING", sinceMs, running: facts.childAlive };
}

function detailOf(state: AppState, detail: string | undefined): { readonly detail?: string } {
  const told = state === "FATAL" || state === "UNKNOWN" || state === "BACKOFF";
  return told && detail !== undefined ? { detail } : {};
}

function atMs({ nowMs, uptimeCs }: StatusFacts, cs: number): number {
  return Math.round(nowMs - (uptimeCs - cs) * 10);
}
