import type { Rollout, RolloutPlan, WaveTally } from "../../../rollouts/rollout.ts";
import type { Times } from "../../../rollouts/rollout-store.ts";
import {
  failureStates,
  type RolloutState,
  type TargetState,
  untakenStates,
} from "../../../rollouts/states.ts";
import type { SqliteDatabase } from "../database.ts";

interface RolloutRow {
  readonly id: string;
  readonly ownerId: number;
  readonly createdAt: number;
  readonly plan: string;
  readonly state: RolloutState;
  readonly reason: string;
  readonly wave: number;
  readonly soakUntil: number | null;
}

interface TallyRow {
  readonly wave: number;
  readonly state: TargetState;
  readonly count: number;
  readonly excused: number;
  readonly early: number;
}

/** Reads roll-outs with the tally of their waves. */
export class RolloutRows {
  readonly #byId;
  readonly #ofOwner;
  readonly #active;
  readonly #tally;

  constructor(db: SqliteDatabase) {
    const select = `SELECT id, owner_id AS ownerId, created_at AS createdAt, plan, state, reason, wave,
      soak_until AS soakUntil FROM rollout`;
    this.#byId = db.prepare<[string], RolloutRow>(`${select} WHERE id = ?`);
    this.#ofOwner = db.prepare<[number], RolloutRow>(`${select} WHERE owner_id = ? ORDER BY seq DESC`);
    this.#active = db.prepare<[], RolloutRow>(
      `${select} WHERE state IN ('running', 'rolling-back')
         OR state = 'completed' AND EXISTS (
           SELECT 1 FROM rollout_target WHERE rollout = rollout.id AND state IN ('pending', 'blocked'))
       ORDER BY seq`,
    );
    // `early`: those in this state since before the moment that the question names.
    this.#tally = db.prepare<[number, string], TallyRow>(
      `SELECT wave, state, count(*) AS count, sum(excused) AS excused, sum(at <= ?) AS early
       FROM rollout_target INDEXED BY rollout_target_tally WHERE rollout = ? GROUP BY wave, state`,
    );
  }

  find(id: string, times: Times): Rollout | undefined {
    const row = this.#byId.get(id);
    return row && this.#toRollout(row, times);
  }

  ofOwner(ownerId: number, times: Times): Rollout[] {
    return this.#ofOwner.all(ownerId).map((row) => this.#toRollout(row, times));
  }

  active(times: Times): Rollout[] {
    return this.#active.all().map((row) => this.#toRollout(row, times));
  }

  #toRollout({ plan, ...row }: RolloutRow, { now, upSince }: Times): Rollout {
    const decided = JSON.parse(plan) as RolloutPlan;
    // A gateway cannot take a command from a server that is away.
    const isMeasured = now - upSince >= decided.absentAfterS;
    const before = isMeasured ? now - decided.absentAfterS : -1;
    const waves: { size: number; counts: Record<string, number>; excused: number; absent: number }[] = [];
    for (const { wave, state, count, excused, early } of this.#tally.all(before, row.id)) {
      waves[wave] ??= { size: 0, counts: {}, excused: 0, absent: 0 };
      const tally = waves[wave];
      tally.size += count;
      tally.counts[state] = count;
      if (failureStates.includes(state)) tally.excused += excused;
      if (untakenStates.includes(state)) tally.absent += early;
    }
    return { ...decided, ...row, waves: waves satisfies WaveTally[] };
  }
}
