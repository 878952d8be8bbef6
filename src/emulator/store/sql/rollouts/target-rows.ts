import type { Command, RolloutPlan } from "../../../rollouts/rollout.ts";
import { commandId, undoId } from "../../../rollouts/rollout.ts";
import type { RolloutState, TargetState } from "../../../rollouts/states.ts";
import { watchedStates } from "../../../rollouts/states.ts";
import { undoCommand, type VersionsBefore } from "../../../rollouts/undo.ts";
import type { Dialect } from "../engine.ts";
import { Statement, type Work } from "../statement.ts";

/** A gateway of a roll-out with what deciding about it takes. */
export interface TargetRow {
  readonly id: number;
  readonly rollout: string;
  readonly clientId: number | null;
  readonly state: TargetState;
  readonly before: string;
  readonly sent: string | null;
  readonly sentTs: number | null;
  readonly plan: string;
  readonly rolloutState: RolloutState;
}

const columns = `target.id, target.rollout, target.client_id AS "clientId", target.state, target.before, target.sent,
  target.sent_ts AS "sentTs", rollout.plan, rollout.state AS "rolloutState"`;

/** A list of states for `IN (…)`: they are constants of the program. */
export function quoted(states: readonly TargetState[]): string {
  return states.map((state) => `'${state}'`).join(", ");
}

/** The statements on a roll-out's gateways that several of its operations need. */
export class TargetRows {
  readonly #due;
  readonly #holdOf;
  readonly #ofClient;
  readonly #inState;
  readonly #set = new Statement("UPDATE rollout_target SET state = $1, at = $2, detail = $3 WHERE id = $4");
  readonly #sent = new Statement(
    "UPDATE rollout_target SET sent = $1, sent_ts = $2, before = $3 WHERE id = $4",
  );

  constructor(dialect: Dialect) {
    const select = `SELECT ${columns} FROM rollout_target AS target JOIN rollout ON rollout.id = target.rollout`;
    this.#due = new Statement<TargetRow>(
      `${select} WHERE target.rollout = $1 AND (
         target.state = 'pending' AND target.wave <= rollout.wave AND rollout.state IN ('running', 'completed')
         OR target.state = 'undo-pending' AND rollout.state = 'rolling-back')
       ORDER BY target.id LIMIT $2`,
    );
    const ofClient = `WHERE target.client_id = $1 AND target.state IN (${quoted(watchedStates)})`;
    this.#holdOf = new Statement(
      `SELECT rollout.id FROM rollout
       WHERE id IN (SELECT target.rollout FROM rollout_target AS target ${ofClient})
       ORDER BY rollout.seq ${dialect.forShare("rollout")}`,
    );
    this.#ofClient = new Statement<TargetRow>(
      `${select} ${ofClient} ORDER BY target.id ${dialect.forUpdate("target")}`,
    );
    this.#inState = new Statement<TargetRow>(
      `${select} WHERE target.rollout = $1 AND ${dialect.isIn("target.state", "$2")} ORDER BY target.id`,
    );
  }

  /** Those to which a command is to be written now; the roll-out is held. */
  due(rollout: string, limit: number): Work<readonly TargetRow[]> {
    return this.#due.all(rollout, limit);
  }

  /** Those of this client that its doings may change; no operator's wish for their roll-outs comes between. */
  *ofClient(clientId: number): Work<readonly TargetRow[]> {
    yield* this.#holdOf.all(clientId);
    return yield* this.#ofClient.all(clientId);
  }

  inStates(rollout: string, states: readonly TargetState[]): Work<readonly TargetRow[]> {
    return this.#inState.all(rollout, states);
  }

  *set(id: number, state: TargetState, now: number, detail = ""): Work<void> {
    yield* this.#set.run(state, now, detail, id);
  }

  *setSent(id: number, sent: string, sentTs: number, before: string): Work<void> {
    yield* this.#sent.run(sent, sentTs, before, id);
  }
}

/** What is written to this gateway now, and under which id; undefined where there is nothing to take back. */
export function commandOf(row: TargetRow): { readonly id: string; readonly command: Command } | undefined {
  const { command } = JSON.parse(row.plan) as RolloutPlan;
  if (!row.state.startsWith("undo")) return { id: commandId(row.rollout), command };
  const undo = undoCommand(command, JSON.parse(row.before) as VersionsBefore);
  return undo && { id: undoId(row.rollout), command: undo };
}
