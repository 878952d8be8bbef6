import { GweError } from "../../src/core/errors.ts";

/** The rig itself does not work: nothing is proved or disproved. */
export class RigError extends GweError {
  readonly code = "POWER_RIG";
}

/** What a power cut must not do. */
export class Violation extends GweError {
  readonly code = "POWER_VIOLATION";
}

/** @throws Violation when a promise does not hold */
export function promised(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Violation(what);
}
