/** What the check-in loop knows when it decides. Times are monotonic milliseconds. */
export interface LoopFacts {
  readonly nowMs: number;
  readonly hasCredentials: boolean;
  /** Earliest moment for the next attempt at activation. */
  readonly activationDueMs: number;
  /** When the interval asks for the next check-in. */
  readonly checkInDueMs: number;
  /** Something waits to be told or fetched at once: a command's result, an operator's wish. */
  readonly hurry: boolean;
  /** Backoff or `Retry-After`: nothing is sent before. */
  readonly notBeforeMs: number;
  /** Start of the last check-in: Murano wants a second between two writes to an alias. */
  readonly lastCheckInMs: number | undefined;
  /** A long poll brought a command that is not yet taken over. */
  readonly commandWaiting: boolean;
}

export type LoopStep =
  | { readonly kind: "activate" }
  | { readonly kind: "take-command" }
  | { readonly kind: "check-in" }
  | { readonly kind: "wait"; readonly forMs: number };

export const writeSpacingMs = 1000;

/** Decides what the loop does now. Pure. */
export function planNext(facts: LoopFacts): LoopStep {
  if (!facts.hasCredentials) return dueOrWait(facts, facts.activationDueMs, { kind: "activate" });
  if (facts.commandWaiting) return dueOrWait(facts, facts.notBeforeMs, { kind: "take-command" });
  const wanted = facts.hurry ? facts.nowMs : facts.checkInDueMs;
  const spaced =
    facts.lastCheckInMs === undefined ? wanted : Math.max(wanted, facts.lastCheckInMs + writeSpacingMs);
  return dueOrWait(facts, Math.max(spaced, facts.notBeforeMs), { kind: "check-in" });
}

function dueOrWait(facts: LoopFacts, dueMs: number, step: LoopStep): LoopStep {
  return dueMs <= facts.nowMs ? step : { kind: "wait", forMs: dueMs - facts.nowMs };
}
