import type { Page } from "../store/types.ts";
import type { Rollout, RolloutPlan, Target } from "./rollout.ts";
import type { RolloutAction, RolloutState, TargetState } from "./states.ts";

/** A gateway that a new roll-out is to reach. */
export interface NewTarget {
  readonly clientId: number;
  readonly rid: string;
  readonly product: string;
  readonly sn: string;
  /** Index of its wave. */
  readonly wave: number;
}

export interface NewRollout extends RolloutPlan {
  readonly id: string;
  readonly ownerId: number;
  readonly createdAt: number;
  /** In the order in which they are reached. */
  readonly targets: readonly NewTarget[];
}

/** Server times that waiting is measured against, unix seconds. */
export interface Times {
  readonly now: number;
  /** When this server began to listen: before that no gateway could be heard. */
  readonly upSince: number;
}

export interface RolloutChange {
  readonly state?: RolloutState;
  readonly reason?: string;
  readonly wave?: number;
  readonly soakUntil?: number | null;
}

/** What a step of sending did. */
export interface Sent {
  /** Clients whose `engine_fetch` was written. */
  readonly written: readonly number[];
  /** Those, and the clients where another command waits: from now on their doings matter. */
  readonly touched: readonly number[];
  /** Whether more may be left to send. */
  readonly isMore: boolean;
}

/**
 * What the server remembers of roll-outs. A command and the note that it was written are one transaction, so that no
 * crash sends it twice or forgets it; a method that changes something resolves when the change is durable.
 */
export interface RolloutStore {
  add(rollout: NewRollout): Promise<void>;
  /** Newest first. */
  list(ownerId: number, times: Times): Promise<readonly Rollout[]>;
  find(id: string, times: Times): Promise<Rollout | undefined>;
  /** Those in which the server still has something to do or to hear. */
  active(times: Times): Promise<readonly Rollout[]>;
  targets(
    id: string,
    state: TargetState | undefined,
    page: Page,
  ): Promise<{ readonly targets: readonly Target[]; readonly total: number }>;
  /** Changes a roll-out that still stands there; false where it is in another state or wave by now. */
  change(id: string, from: Pick<Rollout, "state" | "wave">, change: RolloutChange): Promise<boolean>;
  /**
   * An operator's wish, with all that it means for the gateways. Resolves to whether the state allowed it, and to the clients whose
   * waiting command was withdrawn.
   */
  act(
    id: string,
    action: RolloutAction,
    now: number,
  ): Promise<{ readonly done: boolean; readonly withdrawn: readonly number[] }>;
  /** Writes the command to the next gateways that are due, where no other command waits. */
  send(id: string, limit: number, now: number): Promise<Sent>;
  /** Looks at what these clients have taken and told. Resolves to the ids of the roll-outs that it changed. */
  observe(
    clientIds: readonly number[],
    byOwner: ReadonlySet<number>,
    now: number,
  ): Promise<readonly string[]>;
  /** Gateways that took a command and are silent for too long, and those that were removed. Resolves to ids as above. */
  expire(times: Times): Promise<readonly string[]>;
  /** Clients whose doings matter to some roll-out. */
  watched(): Promise<readonly number[]>;
}
