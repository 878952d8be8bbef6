import type { Rollout } from "./rollout.ts";
import { openStates, openUndoStates, type TargetState } from "./states.ts";

type Counts = Partial<Record<TargetState, number>>;

/** A roll-out as operators are told of it (docs/rollouts.md). */
export function shownRollout({ ownerId: _, ...rollout }: Rollout): Record<string, unknown> {
  const counts: Counts = {};
  for (const wave of rollout.waves) {
    for (const [state, count] of Object.entries(wave.counts) as [TargetState, number][]) {
      counts[state] = (counts[state] ?? 0) + count;
    }
  }
  const waves = rollout.waves.map(({ size, counts, excused, absent }, index) => ({
    size,
    state: stateOfWave(rollout, index),
    counts,
    excused,
    absent,
    open: [...openStates, ...openUndoStates].reduce((sum, state) => sum + (counts[state] ?? 0), 0),
  }));
  return { ...rollout, waves, counts };
}

function stateOfWave(
  rollout: Omit<Rollout, "ownerId">,
  index: number,
): "pending" | "running" | "soaking" | "done" {
  if (index > rollout.wave) return "pending";
  if (index < rollout.wave || rollout.state === "completed") return "done";
  return rollout.soakUntil === null ? "running" : "soaking";
}
