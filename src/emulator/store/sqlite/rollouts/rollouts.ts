import type { Target } from "../../../rollouts/rollout.ts";
import type { NewRollout, RolloutChange, RolloutStore } from "../../../rollouts/rollout-store.ts";
import { failureStates, watchedStates } from "../../../rollouts/states.ts";
import type { SqliteDatabase } from "../database.ts";
import type { GroupCommit } from "../group-commit.ts";
import type { PointWriter } from "../point-writer.ts";
import { FetchBox } from "./fetch-box.ts";
import { observing } from "./observing.ts";
import { RolloutRows } from "./rollout-rows.ts";
import { sending } from "./sending.ts";
import { quoted, TargetRows } from "./target-rows.ts";

/** @param writer that of the dataports: a command is a value like any other */
export function sqliteRollouts(db: SqliteDatabase, commit: GroupCommit, writer: PointWriter): RolloutStore {
  const rows = new RolloutRows(db);
  const parts = { db, commit, targets: new TargetRows(db), box: new FetchBox(db, writer) };
  const insert = db.prepare(
    "INSERT INTO rollout (id, owner_id, created_at, plan, state) VALUES (@id, @ownerId, @createdAt, @plan, 'running')",
  );
  const insertTarget = db.prepare(
    `INSERT INTO rollout_target (rollout, wave, client_id, rid, product, sn, state, at)
     VALUES (@rollout, @wave, @clientId, @rid, @product, @sn, 'pending', @at)`,
  );
  const change = db.prepare(
    `UPDATE rollout SET state = coalesce(@state, state), reason = coalesce(@reason, reason),
       wave = coalesce(@wave, wave), soak_until = CASE WHEN @setSoak THEN @soakUntil ELSE soak_until END
     WHERE id = @id AND state = @from`,
  );
  const watched = db
    .prepare<[], number>(
      `SELECT DISTINCT client_id FROM rollout_target
       WHERE client_id IS NOT NULL AND state IN (${quoted(watchedStates)})`,
    )
    .pluck();

  const add = ({ id, ownerId, createdAt, targets, ...plan }: NewRollout) => {
    insert.run({ id, ownerId, createdAt, plan: JSON.stringify(plan) });
    for (const target of targets) insertTarget.run({ rollout: id, at: createdAt, ...target });
  };

  return {
    add: (rollout) => commit.run(() => add(rollout)),
    list: async (ownerId, times) => rows.ofOwner(ownerId, times),
    find: async (id, times) => rows.find(id, times),
    active: async (times) => rows.active(times),
    watched: async () => watched.all(),
    change: (id, from, wanted: RolloutChange) =>
      commit.run(() => {
        const { state = null, reason = null, wave = null, soakUntil = null } = wanted;
        const setSoak = wanted.soakUntil === undefined ? 0 : 1;
        return change.run({ id, from, state, reason, wave, soakUntil, setSoak }).changes === 1;
      }),
    targets: listing(db),
    ...sending(parts),
    ...observing(parts),
  };
}

function listing(db: SqliteDatabase): RolloutStore["targets"] {
  const where = "FROM rollout_target WHERE rollout = @id AND state = coalesce(@state, state)";
  type Question = { id: string; state: string | null };
  // Failures first: they are what one looks for.
  const list = db.prepare<[Question & { limit: number; offset: number }], Target>(
    `SELECT rid, product, sn, wave, state, at, detail ${where}
     ORDER BY state IN (${quoted(failureStates)}) DESC, id LIMIT @limit OFFSET @offset`,
  );
  const count = db.prepare<[Question], number>(`SELECT count(*) ${where}`).pluck();
  return async (id, state, { offset, limit }) => {
    const question = { id, state: state ?? null };
    return { targets: list.all({ ...question, offset, limit }), total: count.get(question) ?? 0 };
  };
}
