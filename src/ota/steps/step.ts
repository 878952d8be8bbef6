import type { Job } from "../journal.ts";
import type { OtaDependencies } from "../ports.ts";
import type { VersionDirectories } from "../versions.ts";
import type { ScriptRuns } from "./script-runs.ts";

/** What every step is given. Steps act on the world and answer; the runner alone writes the job's state. */
export interface StepContext {
  readonly deps: OtaDependencies;
  readonly versions: VersionDirectories;
  readonly job: Job;
  readonly runs: ScriptRuns;
  /** Aborted when the step has to end; its reason is that of `stopping`, or a `CancelledError`. */
  readonly signal: AbortSignal;
  /** Aborted when the pipeline stops, maybe before `signal`; its reason is a `StoppedError`. */
  readonly stopping: AbortSignal;
}
