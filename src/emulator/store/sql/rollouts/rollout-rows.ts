import type { Rollout, RolloutPlan, WaveTally } from "../../../rollouts/rollout.ts";
import type { Times } from "../../../rollouts/rollout-store.ts";
import {
  failureStates,
  type RolloutState,
  type TargetState,
  untakenStates,
} from "../../../rollouts/states.ts";
import type { Engine } from "../engine.ts";
import { Statement, type Work } from "../statement.ts";

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
  readonly #engine: Engine;
  readonly #byId;
  readonly #ofOwner;
  readonly #active;
  readonly #tally;

  constructor(engine: Engine) {
    this.#engine = engine;
    const select = `SELECT id, owner_id AS "ownerId", created_at AS "createdAt", plan, state, reason, wave,
      soak_until AS "soakUntil" FROM rollout`;
    this.#byId = new Statement<RolloutRow>(`${select} WHERE id = $1`);
    this.#ofOwner = new Statement<RolloutRow>(`${select} WHERE owner_id = $1 ORDER BY seq DESC`);
    this.#active = new Statement<RolloutRow>(
      `${select} WHERE state IN ('running', 'rolling-back')
         OR state = 'completed' AND EXISTS (
           SELECT 1 FROM rollout_target WHERE rollout = rollout.id AND state IN ('pending', 'blocked'))
       ORDER BY seq`,
    );
    // `early`: those in this state since before the moment that the question names.
    this.#tally = new Statement<TallyRow>(
      `SELECT wave, state, count(*) AS count, sum(excused) AS excused, count(*) FILTER (WHERE at <= $1) AS early
       FROM rollout_target ${engine.dialect.indexedBy("rollout_target_tally")} WHERE rollout = $2
       GROUP BY wave, state`,
    );
  }

  async find(id: string, times: Times): Promise<Rollout | undefined> {
    const [rollout] = await this.#read(() => this.#byId.all(id), times);
    return rollout;
  }

  ofOwner(ownerId: number, times: Times): Promise<Rollout[]> {
    return this.#read(() => this.#ofOwner.all(ownerId), times);
  }

  active(times: Times): Promise<Rollout[]> {
    return this.#read(() => this.#active.all(), times);
  }

  #read(select: () => Work<readonly RolloutRow[]>, times: Times): Promise<Rollout[]> {
    const toRollout = this.#toRollout.bind(this);
    return this.#engine.read(function* () {
      const rollouts: Rollout[] = [];
      for (const row of yield* select()) rollouts.push(yield* toRollout(row, times));
      return rollouts;
    });
  }

  *#toRollout({ plan, ...row }: RolloutRow, { now, upSince }: Times): Work<Rollout> {
    const decided = JSON.parse(plan) as RolloutPlan;
    // A gateway cannot take a command from a server that is away.
    const isMeasured = now - upSince >= decided.absentAfterS;
    const before = isMeasured ? now - decided.absentAfterS : -1;
    const waves: { size: number; counts: Record<string, number>; excused: number; absent: number }[] = [];
    for (const { wave, state, count, excused, early } of yield* this.#tally.all(before, row.id)) {
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
