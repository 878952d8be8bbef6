import type { RolloutState, TargetState } from "./states.ts";

/** How a command ended on a gateway. */
export interface Outcome {
  readonly state: "succeeded" | "failed" | "rolled-back";
  readonly detail: string;
}

/** What is known of a gateway since its command was written. */
export interface Seen {
  /** What `engine_fetch` held next, after the command; undefined while it holds the command itself. */
  readonly next: string | undefined;
  /** Whether an owner emptied it, and not the gateway. */
  readonly isByOwner: boolean;
  /** Whether a command waits in `engine_fetch`. */
  readonly isOccupied: boolean;
  readonly outcome: Outcome | undefined;
}

export interface Advance {
  readonly state: TargetState;
  readonly detail: string;
}

/** The next state of a gateway in a roll-out; undefined where nothing changes. Pure. */
export function advance(state: TargetState, seen: Seen, rollout: RolloutState): Advance | undefined {
  const next = state.startsWith("undo") ? advanceUndo(state, seen) : advanceDo(state, seen, rollout);
  return next?.state === state ? undefined : next;
}

function advanceDo(state: TargetState, seen: Seen, rollout: RolloutState): Advance | undefined {
  if (state === "blocked") return seen.isOccupied ? undefined : { state: "pending", detail: "" };
  if (seen.outcome) {
    const isTakenBack = rollout === "rolling-back" || rollout === "rolled-back";
    const isToUndo = seen.outcome.state === "succeeded" && isTakenBack;
    return isToUndo ? { ...seen.outcome, state: "undo-pending" } : seen.outcome;
  }
  if (state !== "waiting" || seen.next === undefined) return undefined;
  return lostTo(seen) ?? { state: "taken", detail: "" };
}

function advanceUndo(state: TargetState, seen: Seen): Advance | undefined {
  if (state === "undo-blocked") return seen.isOccupied ? undefined : { state: "undo-pending", detail: "" };
  if (seen.outcome) {
    const isDone = seen.outcome.state === "succeeded";
    return { state: isDone ? "undone" : "undo-failed", detail: seen.outcome.detail };
  }
  if (state !== "undo-waiting" || seen.next === undefined) return undefined;
  const lost = lostTo(seen);
  return lost ? { ...lost, state: "undo-failed" } : { state: "undo-taken", detail: "" };
}

/** Somebody else's write that the command fell to before the gateway took it. */
function lostTo({ next, isByOwner }: Seen): Advance | undefined {
  if (next !== "") return { state: "replaced", detail: "another command was written over it" };
  return isByOwner ? { state: "replaced", detail: "withdrawn" } : undefined;
}
