import type { Rollout, WaveTally } from "./rollout.ts";
import { failureStates, openStates, openUndoStates, type TargetState, uncountedStates } from "./states.ts";

export type Decision =
  | { readonly kind: "none" }
  /** The roll-out stops by itself until a person decides. */
  | { readonly kind: "stop"; readonly reason: string }
  | { readonly kind: "soak"; readonly until: number }
  | { readonly kind: "begin-wave"; readonly wave: number }
  | { readonly kind: "complete" }
  | { readonly kind: "rolled-back" };

const nothing: Decision = { kind: "none" };

/** Decides what becomes of a roll-out now. Pure; `now` in unix seconds. */
export function decide(rollout: Rollout, now: number): Decision {
  if (rollout.state === "rolling-back") {
    return rollout.waves.some((wave) => total(wave, openUndoStates) > 0) ? nothing : { kind: "rolled-back" };
  }
  return rollout.state === "running" ? goOn(rollout, now) : nothing;
}

function goOn(rollout: Rollout, now: number): Decision {
  const begun = rollout.waves.slice(0, rollout.wave + 1);
  for (const [index, wave] of begun.entries()) {
    const reason = tooManyFailures(rollout, wave, index);
    if (reason !== undefined) return { kind: "stop", reason };
  }
  const current = begun.at(-1);
  if (!current) return nothing;
  if (rollout.soakUntil === null) {
    const counted = countedOf(current);
    const succeeded = current.counts.succeeded ?? 0;
    if (counted === 0 ? current.absent > 0 : succeeded * 100 < rollout.successPercent * counted) {
      return nothing;
    }
    return { kind: "soak", until: now + rollout.soakS };
  }
  if (now < rollout.soakUntil) return nothing;
  if (rollout.wave + 1 < rollout.waves.length) return { kind: "begin-wave", wave: rollout.wave + 1 };
  const underWay = begun.reduce((sum, wave) => sum + total(wave, openStates) - wave.absent, 0);
  return underWay > 0 ? nothing : { kind: "complete" };
}

function tooManyFailures(rollout: Rollout, wave: WaveTally, index: number): string | undefined {
  const failures = failuresOf(wave);
  const inWave = `${failures} of ${wave.size} gateways of wave ${index + 1} failed`;
  if (failures * 100 > rollout.maxFailurePercent * wave.size) {
    return `${inWave}: more than ${rollout.maxFailurePercent} %`;
  }
  const isCurrent = index === rollout.wave && rollout.soakUntil === null;
  const counted = countedOf(wave) + wave.absent;
  if (isCurrent && failures > 0 && (counted - failures) * 100 < rollout.successPercent * counted) {
    return `${inWave}: it can no longer reach ${rollout.successPercent} % success`;
  }
  return undefined;
}

/** Gateways of a wave whose success or failure is asked for. */
function countedOf(wave: WaveTally): number {
  return wave.size - total(wave, uncountedStates) - wave.excused - wave.absent;
}

function failuresOf(wave: WaveTally): number {
  return total(wave, failureStates) - wave.excused;
}

function total(wave: WaveTally, states: readonly TargetState[]): number {
  return states.reduce((sum, state) => sum + (wave.counts[state] ?? 0), 0);
}
