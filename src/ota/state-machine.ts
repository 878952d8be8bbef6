import type { AppKind } from "../core/app-status.ts";
import {
  afterWaiting,
  beginTrial,
  endTrial,
  type Restoring,
  resumeTrial,
  type TrialEvent,
  type Trying,
} from "./settings-trial.ts";

/** A job never makes more transitions than this, whatever happens: no loop of crashes and resumes is endless. */
export const maxTransitions = 40;

/** A probation that so many crashes cut short counts as failed. */
export const maxProbationResumes = 5;

/** How often an installer is started that takes the engine, or the gateway, down with it. */
export const maxInstallerStarts = 3;

/** An unpacked and checked package, at its final place on disk. */
export interface UnpackedApp {
  /** Absolute. */
  readonly directory: string;
  readonly kind: AppKind;
  readonly installer: "install.sh" | "setup.py";
}

/** An earlier version that is still on disk and can be put back. */
export interface KeptVersion {
  readonly version: string;
  /** Absolute. */
  readonly directory: string;
  readonly kind: AppKind;
  /** null: there is nothing to run when it is put back. */
  readonly installer: UnpackedApp["installer"] | null;
}

/** What a failed update falls back on: the version that was registered before it. */
export type Fallback =
  | { readonly kind: "version"; readonly version: KeptVersion }
  /** The app is new. */
  | { readonly kind: "none" }
  /** Not told by the journal (an older version of the engine wrote it): nothing is withdrawn or put back. */
  | { readonly kind: "unknown" };

/** Names the directory in which an attendant keeps what comes of a script. */
export interface ScriptRun {
  /** The job's transitions when the first script of this attempt at its state was begun with: no two have the same. */
  readonly attempt: number;
  /** `install.sh` and so on. */
  readonly script: string;
}

/** How the next engine finds the attendant of a script again that this one has started. */
export interface InstallerProcess {
  readonly pid: number;
  readonly startTicks: number;
  readonly bootId: string;
  /** Undefined in journals from before there were attendants: the process is the script's own. */
  readonly run?: ScriptRun | undefined;
}

/** What an installer left: its exit status (null: none, it was ended or never ran) and the tail of its output. */
export interface InstallerResult {
  readonly exitCode: number | null;
  readonly output: string;
  readonly outputBytesCut: number;
}

export const noResult: InstallerResult = { exitCode: null, output: "", outputBytesCut: 0 };

/** The life of one job. What each phase means and does: docs/ota.md. */
export type JobState =
  | { readonly phase: "received" }
  | { readonly phase: "queued" }
  | { readonly phase: "downloading" }
  /**
   * `sizeBytes` is what the package file must have; null for a file of the caller's own. `sha256`: the digest that it
   * must have by the command or the content's meta as of the download; null when neither names one.
   */
  | { readonly phase: "verifying"; readonly sizeBytes: number | null; readonly sha256: string | null }
  | { readonly phase: "unpacking"; readonly sizeBytes: number | null }
  | {
      readonly phase: "installing";
      readonly app: UnpackedApp;
      readonly fallback: Fallback;
      /** Set as soon as a script's attendant exists, before the script does anything. */
      readonly process: InstallerProcess | null;
      /** How often its scripts have been begun with: since then they may have overwritten files of the fallback. */
      readonly starts: number;
    }
  | {
      readonly phase: "activating";
      readonly app: UnpackedApp;
      readonly fallback: Fallback;
      readonly result: InstallerResult;
    }
  | {
      readonly phase: "probation";
      readonly app: UnpackedApp;
      readonly fallback: Fallback;
      readonly result: InstallerResult;
      readonly process: InstallerProcess | null;
      /** How often the engine or the gateway went down in it. */
      readonly resumes: number;
    }
  | RollingBack
  /** A task other than an installation is carried out. */
  | { readonly phase: "performing"; readonly process: InstallerProcess | null }
  | Trying
  | Restoring
  | EndState;

export interface RollingBack {
  readonly phase: "rolling-back";
  /** null: the app was new, and is withdrawn. */
  readonly to: KeptVersion | null;
  /** Supervision had been given the version that goes; else the earlier one still runs and only its files are restored. */
  readonly deployed: boolean;
  /** Why, for the report. */
  readonly note: string;
  readonly result: InstallerResult;
  readonly process: InstallerProcess | null;
}

export interface EndState {
  readonly phase: "committed" | "failed" | "rolled-back" | "cancelled" | "interrupted" | "skipped";
  readonly note: string;
  readonly result: InstallerResult;
}

export type Phase = JobState["phase"];

export type JobEvent =
  /** The command is off `engine_fetch`, or has waited long enough for that. */
  | { readonly type: "released" }
  | { readonly type: "begun"; readonly source: "content" | "file" | "task" }
  | { readonly type: "downloaded"; readonly sizeBytes: number; readonly sha256: string | null }
  | { readonly type: "package-lost" }
  | { readonly type: "verified" }
  | { readonly type: "unpacked"; readonly app: UnpackedApp; readonly fallback: Fallback }
  | { readonly type: "script-started"; readonly process: InstallerProcess }
  | { readonly type: "installed"; readonly result: InstallerResult }
  /** `probation`: the app has a `health` script and runs, and has to prove itself. */
  | { readonly type: "activated"; readonly note: string; readonly probation: boolean }
  | { readonly type: "proved"; readonly note: string }
  /** A new version of the engine itself has not proved itself, and the former one runs again. */
  | { readonly type: "went-back"; readonly note: string }
  | { readonly type: "rollback-chosen"; readonly to: KeptVersion; readonly note: string }
  /** The earlier version is back, or the new app withdrawn. */
  | { readonly type: "rolled-back"; readonly note: string; readonly result: InstallerResult }
  | { readonly type: "performed"; readonly note: string; readonly result: InstallerResult }
  | { readonly type: "cancelled"; readonly note: string }
  | { readonly type: "failed"; readonly note: string; readonly result: InstallerResult }
  | TrialEvent
  /** The engine starts and finds a script that it began with still running, or ended: the state's action goes on with it. */
  | { readonly type: "adopted" }
  /** Something of the state's action is lost: the engine, or the machine, went down in the middle. It begins anew. */
  | { readonly type: "resumed" };

/** A job as the transition function sees it. */
export interface JobProgress {
  readonly state: JobState;
  readonly transitions: number;
}

const endPhases: ReadonlySet<Phase> = new Set<EndState["phase"]>([
  "committed",
  "failed",
  "rolled-back",
  "cancelled",
  "interrupted",
  "skipped",
]);

export function isEnd(state: JobState): state is EndState {
  return endPhases.has(state.phase);
}

/** Until its first script may run, a job can be called off without a trace. */
export function isCancellable({ phase }: JobState): boolean {
  return ["received", "queued", "downloading", "verifying", "unpacking"].includes(phase);
}

/**
 * The next state, or the very same object when the event means nothing in this state. Pure: whoever calls it commits
 * the result to the journal before acting on it.
 */
export function transition(job: JobProgress, event: JobEvent): JobProgress {
  const state = nextState(job.state, event);
  if (state === undefined) return job;
  const transitions = job.transitions + 1;
  if (transitions < maxTransitions || isEnd(state)) return { state, transitions };
  return {
    transitions,
    state: { phase: "failed", note: `gave up after ${maxTransitions} transitions`, result: noResult },
  };
}

function nextState(state: JobState, event: JobEvent): JobState | undefined {
  if (isEnd(state)) return undefined;
  if (event.type === "failed") return fromFailure(state, event);
  if (event.type === "cancelled") {
    return isCancellable(state) ? { phase: "cancelled", note: event.note, result: noResult } : undefined;
  }
  switch (state.phase) {
    case "received":
      return event.type === "released" ? { phase: "queued" } : fromPerforming(event);
    case "queued":
      return event.type === "begun" ? begin(event.source) : fromPerforming(event);
    case "downloading":
      if (event.type === "resumed") return state;
      if (event.type !== "downloaded") return undefined;
      return { phase: "verifying", sizeBytes: event.sizeBytes, sha256: event.sha256 };
    case "verifying":
      if (event.type === "verified") return { phase: "unpacking", sizeBytes: state.sizeBytes };
      return resumeOrFetchAgain(state, event);
    case "unpacking":
      if (event.type !== "unpacked") return resumeOrFetchAgain(state, event);
      return { phase: "installing", app: event.app, fallback: event.fallback, process: null, starts: 0 };
    case "installing":
      return fromInstalling(state, event);
    case "activating":
      if (event.type === "resumed") return state;
      if (event.type === "went-back") return { phase: "rolled-back", note: event.note, result: state.result };
      return event.type === "activated" ? fromActivating(state, event) : undefined;
    case "probation":
      return fromProbation(state, event);
    case "rolling-back":
      return fromRollingBack(state, event);
    case "performing":
      if (event.type === "script-started") return { ...state, process: event.process };
      if (event.type === "adopted") return state;
      if (event.type === "resumed") return { ...state, process: null };
      if (event.type === "rollback-chosen") return rollingBack(event.to, event.note, noResult);
      return event.type === "settings-noted" ? beginTrial(event) : fromPerforming(event);
    case "trying":
      return fromTrying(state, event);
    case "restoring":
      // A resumed one goes on: it is no transition, for nothing may keep the old settings from coming back.
      if (event.type !== "rolled-back") return undefined;
      return { phase: "rolled-back", note: joinNotes(state.note, event.note), result: event.result };
  }
}

function begin(source: "content" | "file" | "task"): JobState {
  switch (source) {
    case "content":
      return { phase: "downloading" };
    case "file":
      return { phase: "verifying", sizeBytes: null, sha256: null };
    case "task":
      return { phase: "performing", process: null };
  }
}

/** Also from the first two states: cancelling does not wait for its turn. */
function fromPerforming(event: JobEvent): JobState | undefined {
  return event.type === "performed"
    ? { phase: "committed", note: event.note, result: event.result }
    : undefined;
}

/** The package is on disk. Should it be lost, a download can bring it back; a caller's own file cannot be. */
function resumeOrFetchAgain(
  state: Extract<JobState, { phase: "verifying" | "unpacking" }>,
  event: JobEvent,
): JobState | undefined {
  if (event.type === "resumed") return state;
  if (event.type !== "package-lost") return undefined;
  return state.sizeBytes === null
    ? { phase: "failed", note: "the package file is gone or unreadable", result: noResult }
    : { phase: "downloading" };
}

function fromInstalling(
  state: Extract<JobState, { phase: "installing" }>,
  event: JobEvent,
): JobState | undefined {
  switch (event.type) {
    case "script-started":
      return { ...state, process: event.process, starts: state.starts + (state.process === null ? 1 : 0) };
    case "installed":
      return { phase: "activating", app: state.app, fallback: state.fallback, result: event.result };
    case "adopted":
      return state;
    case "resumed":
      return afterInterruption(state);
    default:
      return undefined;
  }
}

function afterInterruption(state: Extract<JobState, { phase: "installing" }>): JobState {
  // A one-off that ran may have been `reboot`: running it again could go on for ever. It cannot have run before its
  // process was journaled.
  if (state.app.kind === "one-off" && state.process !== null) {
    return {
      phase: "interrupted",
      note: "the gateway, or the installer's attendant, went down while it ran; a one-off package is not run twice",
      result: noResult,
    };
  }
  // Any other may hold a `reboot` too, or take the engine down: a gateway must not spend the day on that.
  if (state.starts >= maxInstallerStarts) {
    const note = `the gateway, or the installer's attendant, went down each of the ${state.starts} times that it ran`;
    return fromFailure(state, { type: "failed", note, result: noResult });
  }
  return { ...state, process: null };
}

function fromActivating(
  { app, fallback, result }: Extract<JobState, { phase: "activating" }>,
  { note, probation }: Extract<JobEvent, { type: "activated" }>,
): JobState {
  return probation
    ? { phase: "probation", app, fallback, result, process: null, resumes: 0 }
    : { phase: "committed", note, result };
}

function fromProbation(
  state: Extract<JobState, { phase: "probation" }>,
  event: JobEvent,
): JobState | undefined {
  switch (event.type) {
    case "script-started":
      return { ...state, process: event.process };
    case "proved":
      return { phase: "committed", note: event.note, result: state.result };
    case "resumed": {
      const resumes = state.resumes + 1;
      if (resumes < maxProbationResumes) return { ...state, process: null, resumes };
      // An app that takes the gateway down must not be tried until the transitions run out.
      const note = `the engine or the gateway went down ${resumes} times during the probation`;
      return fromFailure(state, { type: "failed", note, result: state.result });
    }
    default:
      return undefined;
  }
}

function fromRollingBack(state: RollingBack, event: JobEvent): JobState | undefined {
  switch (event.type) {
    case "script-started":
      return { ...state, process: event.process };
    case "adopted":
      return state;
    case "resumed":
      return { ...state, process: null };
    case "rolled-back": {
      const phase = state.to === null ? "failed" : "rolled-back";
      return { phase, note: joinNotes(state.note, event.note), result: event.result };
    }
    default:
      return undefined;
  }
}

function fromTrying(state: Trying, event: JobEvent): JobState | undefined {
  switch (event.type) {
    case "waited":
      return afterWaiting(state, event);
    case "proved":
      return { phase: "committed", note: event.note, result: noResult };
    case "resumed":
      return resumeTrial(state);
    default:
      return undefined;
  }
}

/** After the first script, and even more after the start of the new version, there is something to put right. */
function fromFailure(
  state: Exclude<JobState, EndState>,
  { note, result }: Extract<JobEvent, { type: "failed" }>,
): JobState {
  switch (state.phase) {
    case "installing": {
      const { app, fallback, starts } = state;
      // A one-off is an act, not something to go back on.
      if (starts === 0 || app.kind === "one-off" || fallback.kind !== "version") break;
      if (fallback.version.installer === null) break;
      return { ...rollingBack(fallback.version, note, result), deployed: false };
    }
    case "activating":
    case "probation":
      if (state.fallback.kind === "unknown") break;
      return rollingBack(state.fallback.kind === "version" ? state.fallback.version : null, note, result);
    case "rolling-back":
      return { phase: "failed", note: joinNotes(state.note, `the rollback failed: ${note}`), result };
    case "trying":
      return endTrial(state, note);
    case "restoring":
      return {
        phase: "failed",
        note: joinNotes(state.note, `the old settings are not back: ${note}`),
        result,
      };
  }
  return { phase: "failed", note, result };
}

function rollingBack(to: KeptVersion | null, note: string, result: InstallerResult): RollingBack {
  return { phase: "rolling-back", to, deployed: true, note, result, process: null };
}

function joinNotes(...notes: readonly string[]): string {
  return notes.filter((note) => note !== "").join("; ");
}
