import type { Job } from "../journal.ts";
import type { OtaDependencies } from "../ports.ts";
import type { VersionDirectories } from "../versions.ts";

/** What every step is given. Steps act on the world and answer; the runner alone writes the job's state. */
export interface StepContext {
  readonly deps: OtaDependencies;
  readonly versions: VersionDirectories;
  readonly job: Job;
  /** Aborted when the pipeline stops; its reason is a `StoppedError`. */
  readonly signal: AbortSignal;
}
