import type { AppKind } from "../core/app-status.ts";

/** A job never makes more transitions than this, whatever happens: no loop of crashes and resumes is endless. */
export const maxTransitions = 40;

/** How often an installer is started that takes the engine, or the gateway, down with it. */
const maxInstallerStarts = 3;

/** An unpacked and checked package, at its final place on disk. */
export interface UnpackedApp {
  /** Absolute. */
  readonly directory: string;
  readonly kind: AppKind;
  readonly installer: "install.sh" | "setup.py";
}

/** How the engine finds an installer again that its own crash left behind. */
export interface InstallerProcess {
  readonly pid: number;
  readonly startTicks: number;
  readonly bootId: string;
}

/** What an installer left: its exit status (null: none, it was ended or never ran) and the tail of its output. */
export interface InstallerResult {
  readonly exitCode: number | null;
  readonly output: string;
  readonly outputBytesCut: number;
}

export const noResult: InstallerResult = { exitCode: null, output: "", outputBytesCut: 0 };

/** The life of one installation. What each phase means and does: docs/ota.md. */
export type JobState =
  | { readonly phase: "received" }
  | { readonly phase: "queued" }
  | { readonly phase: "downloading" }
  /** `sizeBytes` is what the package file must have; null for a file of the caller's own. */
  | { readonly phase: "verifying"; readonly sizeBytes: number | null }
  | { readonly phase: "unpacking"; readonly sizeBytes: number | null }
  | {
      readonly phase: "installing";
      readonly app: UnpackedApp;
      /** Set as soon as the installer's process exists, before it does anything. */
      readonly process: InstallerProcess | null;
      /** How often it has been started. */
      readonly starts: number;
    }
  | { readonly phase: "activating"; readonly app: UnpackedApp; readonly result: InstallerResult }
  | EndState;

export type EndState =
  | { readonly phase: "committed"; readonly note: string; readonly result: InstallerResult }
  | {
      readonly phase: "failed" | "interrupted" | "skipped";
      readonly note: string;
      readonly result: InstallerResult;
    };

export type Phase = JobState["phase"];

export type JobEvent =
  /** The command is off `engine_fetch`, or has waited long enough for that. */
  | { readonly type: "released" }
  | { readonly type: "begun"; readonly source: "content" | "file" }
  | { readonly type: "downloaded"; readonly sizeBytes: number }
  | { readonly type: "package-lost" }
  | { readonly type: "verified" }
  | { readonly type: "unpacked"; readonly app: UnpackedApp }
  | { readonly type: "installer-started"; readonly process: InstallerProcess }
  | { readonly type: "installed"; readonly result: InstallerResult }
  | { readonly type: "activated"; readonly note: string }
  | { readonly type: "failed"; readonly note: string; readonly result: InstallerResult }
  /** The engine starts and finds the job in this state: it, or the machine, went down in the middle. */
  | { readonly type: "resumed" };

/** A job as the transition function sees it. */
export interface JobProgress {
  readonly state: JobState;
  readonly transitions: number;
}

export function isEnd(state: JobState): state is EndState {
  return (
    state.phase === "committed" ||
    state.phase === "failed" ||
    state.phase === "interrupted" ||
    state.phase === "skipped"
  );
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
  if (event.type === "failed") return { phase: "failed", note: event.note, result: event.result };
  switch (state.phase) {
    case "received":
      return event.type === "released" ? { phase: "queued" } : undefined;
    case "queued":
      if (event.type !== "begun") return undefined;
      return event.source === "content" ? { phase: "downloading" } : { phase: "verifying", sizeBytes: null };
    case "downloading":
      if (event.type === "resumed") return state;
      return event.type === "downloaded" ? { phase: "verifying", sizeBytes: event.sizeBytes } : undefined;
    case "verifying":
      if (event.type === "verified") return { phase: "unpacking", sizeBytes: state.sizeBytes };
      return resumeOrFetchAgain(state, event);
    case "unpacking":
      if (event.type === "unpacked") return { phase: "installing", app: event.app, process: null, starts: 0 };
      return resumeOrFetchAgain(state, event);
    case "installing":
      return fromInstalling(state, event);
    case "activating":
      if (event.type === "resumed") return state;
      return event.type === "activated"
        ? { phase: "committed", note: event.note, result: state.result }
        : undefined;
  }
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
    case "installer-started":
      return { ...state, process: event.process, starts: state.starts + 1 };
    case "installed":
      return { phase: "activating", app: state.app, result: event.result };
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
      note: "the engine or the gateway went down while the installer ran; a one-off package is not run twice",
      result: noResult,
    };
  }
  // Any other may hold a `reboot` too, or take the engine down: a gateway must not spend the day on that.
  if (state.starts >= maxInstallerStarts) {
    const note = `the engine or the gateway went down each of the ${state.starts} times that the installer ran`;
    return { phase: "failed", note, result: noResult };
  }
  return { ...state, process: null };
}
