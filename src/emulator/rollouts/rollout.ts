import type { RolloutState, TargetState } from "./states.ts";

/** A command as `engine_fetch` takes it, without its `id`. */
export type Command = Readonly<Record<string, unknown>>;

/** What an operator decides. */
export interface RolloutPlan {
  readonly name: string;
  /** The filter that chose the gateways; they stay chosen. */
  readonly filter: string;
  readonly command: Command;
  /** Share of a wave's counted gateways that must succeed before the next wave begins, in percent. */
  readonly successPercent: number;
  /** The roll-out stops when more of a wave's gateways than this fail, in percent. */
  readonly maxFailurePercent: number;
  /** Seconds between a wave's reaching its share and the next wave. */
  readonly soakS: number;
  /** A gateway that has not taken the command after so many seconds holds up no wave. */
  readonly absentAfterS: number;
  /** A gateway that took the command and told no result for so many seconds counts as failed, until it speaks. */
  readonly resultWithinS: number;
}

/** How the gateways of one wave stand. */
export interface WaveTally {
  readonly size: number;
  readonly counts: Readonly<Partial<Record<TargetState, number>>>;
  /** Failures that an operator has seen and passed over by resuming: they count no more. */
  readonly excused: number;
  /** Of those not taken yet: how many count as absent. */
  readonly absent: number;
}

/** Times: unix seconds by the server's clock. */
export interface Rollout extends RolloutPlan {
  readonly id: string;
  readonly ownerId: number;
  readonly createdAt: number;
  readonly state: RolloutState;
  /** Why it stopped; empty otherwise. */
  readonly reason: string;
  /** Index of the newest wave that has begun. */
  readonly wave: number;
  /** When the soak ends; null while the wave has not reached its share. */
  readonly soakUntil: number | null;
  readonly waves: readonly WaveTally[];
}

/** A gateway of a roll-out. */
export interface Target {
  readonly rid: string;
  readonly product: string;
  readonly sn: string;
  readonly wave: number;
  readonly state: TargetState;
  /** Since when. */
  readonly at: number;
  /** What came of it, for a person. */
  readonly detail: string;
}

/** The id that a roll-out's command carries in `engine_fetch` and `fetch_status`. */
export function commandId(rolloutId: string): string {
  return rolloutId;
}

/** That of the command which takes it back. */
export function undoId(rolloutId: string): string {
  return `${rolloutId}-undo`;
}
