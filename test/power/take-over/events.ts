import type { Phase } from "../../../src/cli/take-over/state.ts";

/** A phase of the journal: `begun` before it is written, `done` when it is durable. `number`: which take-over. */
export interface TakeOverEvent {
  readonly kind: "begun" | "done";
  /** `removed`: the new engine is gone from a gateway that is the original's again. */
  readonly phase: Phase | "removed";
  readonly number: number;
}
