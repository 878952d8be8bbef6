import type { Command, RolloutPlan } from "../../../rollouts/rollout.ts";
import { commandId, undoId } from "../../../rollouts/rollout.ts";
import type { RolloutState, TargetState } from "../../../rollouts/states.ts";
import { watchedStates } from "../../../rollouts/states.ts";
import { undoCommand, type VersionsBefore } from "../../../rollouts/undo.ts";
import type { SqliteDatabase } from "../database.ts";

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

const columns = `target.id, target.rollout, target.client_id AS clientId, target.state, target.before, target.sent,
  target.sent_ts AS sentTs, rollout.plan, rollout.state AS rolloutState`;

/** A list of states for `IN (…)`: they are constants of the program. */
export function quoted(states: readonly TargetState[]): string {
  return states.map((state) => `'${state}'`).join(", ");
}

/** The statements on a roll-out's gateways that several of its operations need. */
export class TargetRows {
  readonly #due;
  readonly #ofClient;
  readonly #inState;
  readonly #set;
  readonly #sent;

  constructor(db: SqliteDatabase) {
    const select = `SELECT ${columns} FROM rollout_target AS target JOIN rollout ON rollout.id = target.rollout`;
    this.#due = db.prepare<[{ rollout: string; limit: number }], TargetRow>(
      `${select} WHERE target.rollout = @rollout AND (
         target.state = 'pending' AND target.wave <= rollout.wave AND rollout.state IN ('running', 'completed')
         OR target.state = 'undo-pending' AND rollout.state = 'rolling-back')
       ORDER BY target.id LIMIT @limit`,
    );
    this.#ofClient = db.prepare<[number], TargetRow>(
      `${select} WHERE target.client_id = ? AND target.state IN (${quoted(watchedStates)}) ORDER BY target.id`,
    );
    this.#inState = db.prepare<[string, string], TargetRow>(
      `${select} WHERE target.rollout = ? AND target.state IN (SELECT value FROM json_each(?))`,
    );
    this.#set = db.prepare(
      "UPDATE rollout_target SET state = @state, at = @now, detail = @detail WHERE id = @id",
    );
    this.#sent = db.prepare(
      "UPDATE rollout_target SET sent = @sent, sent_ts = @sentTs, before = @before WHERE id = @id",
    );
  }

  /** Those to which a command is to be written now. */
  due(rollout: string, limit: number): TargetRow[] {
    return this.#due.all({ rollout, limit });
  }

  /** Those of this client that its doings may change. */
  ofClient(clientId: number): TargetRow[] {
    return this.#ofClient.all(clientId);
  }

  inStates(rollout: string, states: readonly TargetState[]): TargetRow[] {
    return this.#inState.all(rollout, JSON.stringify(states));
  }

  set(id: number, state: TargetState, now: number, detail = ""): void {
    this.#set.run({ id, state, now, detail });
  }

  setSent(id: number, sent: string, sentTs: number, before: string): void {
    this.#sent.run({ id, sent, sentTs, before });
  }
}

/** What is written to this gateway now, and under which id; undefined where there is nothing to take back. */
export function commandOf(row: TargetRow): { readonly id: string; readonly command: Command } | undefined {
  const { command } = JSON.parse(row.plan) as RolloutPlan;
  if (!row.state.startsWith("undo")) return { id: commandId(row.rollout), command };
  const undo = undoCommand(command, JSON.parse(row.before) as VersionsBefore);
  return undo && { id: undoId(row.rollout), command: undo };
}
