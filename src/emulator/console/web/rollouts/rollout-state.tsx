import { State } from "../parts/states.tsx";
import type { Rollout } from "../types.ts";

const tones: Readonly<Record<string, string>> = {
  completed: "good",
  "rolled-back": "idle",
  running: "busy",
  "rolling-back": "busy",
  paused: "warn",
};

/** States that nothing leads out of by itself and that went well have other colours than those that want attention. */
export function RolloutState({ rollout: { state } }: { readonly rollout: Rollout }) {
  return <State text={state} tone={tones[state] ?? "bad"} />;
}
