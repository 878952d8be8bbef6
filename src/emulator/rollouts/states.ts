/** Where a whole roll-out stands (docs/rollouts.md has the table of transitions). */
export const rolloutStates = [
  "running",
  "paused",
  "stopped",
  "aborted",
  "completed",
  "rolling-back",
  "rolled-back",
] as const;

export type RolloutState = (typeof rolloutStates)[number];

/** Where one gateway of a roll-out stands. Those that begin with `undo` belong to its rolling back. */
export const targetStates = [
  "pending",
  "blocked",
  "waiting",
  "taken",
  "succeeded",
  "failed",
  "rolled-back",
  "silent",
  "replaced",
  "withdrawn",
  "gone",
  "undo-pending",
  "undo-blocked",
  "undo-waiting",
  "undo-taken",
  "undone",
  "undo-failed",
] as const;

export type TargetState = (typeof targetStates)[number];

/** What an operator can ask for. */
export type RolloutAction = "pause" | "resume" | "abort" | "roll-back";

const actions: Readonly<Record<RolloutAction, Partial<Record<RolloutState, RolloutState>>>> = {
  pause: { running: "paused" },
  resume: { paused: "running", stopped: "running" },
  abort: { running: "aborted", paused: "aborted", stopped: "aborted", "rolling-back": "aborted" },
  "roll-back": {
    running: "rolling-back",
    paused: "rolling-back",
    stopped: "rolling-back",
    aborted: "rolling-back",
    completed: "rolling-back",
  },
};

/** The state that an action leads to; undefined where it makes no sense. */
export function stateAfter(action: RolloutAction, state: RolloutState): RolloutState | undefined {
  return actions[action][state];
}

/** What went wrong there counts against the limit. */
export const failureStates: readonly TargetState[] = ["failed", "rolled-back", "silent"];

/** Nobody can say whether the command would have succeeded there: left out of every share. */
export const uncountedStates: readonly TargetState[] = ["replaced", "withdrawn", "gone"];

/** The command is under way there, or has yet to begin. */
export const openStates: readonly TargetState[] = ["pending", "blocked", "waiting", "taken"];

/** Not taken by the gateway yet; one that stays so for long counts as absent. */
export const untakenStates: readonly TargetState[] = ["blocked", "waiting"];

export const openUndoStates: readonly TargetState[] = [
  "undo-pending",
  "undo-blocked",
  "undo-waiting",
  "undo-taken",
];

/** What a gateway does may still change these. */
export const watchedStates: readonly TargetState[] = [
  "blocked",
  "waiting",
  "taken",
  "silent",
  "replaced",
  "withdrawn",
  "undo-blocked",
  "undo-waiting",
  "undo-taken",
  "undo-failed",
];
