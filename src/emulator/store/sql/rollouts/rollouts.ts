import type { Target } from "../../../rollouts/rollout.ts";
import type { NewRollout, RolloutStore } from "../../../rollouts/rollout-store.ts";
import { failureStates, watchedStates } from "../../../rollouts/states.ts";
import type { Engine } from "../engine.ts";
import { FetchBox } from "../fetch-box.ts";
import { Statement, type Work } from "../statement.ts";
import type { SqlParts } from "../stores.ts";
import { observing } from "./observing.ts";
import { Reports } from "./reports.ts";
import { RolloutRows } from "./rollout-rows.ts";
import { sending } from "./sending.ts";
import { quoted, TargetRows } from "./target-rows.ts";

/** `writer`: that of the dataports, since a command is a value like any other. */
export function sqlRollouts({ engine, writer }: Pick<SqlParts, "engine" | "writer">): RolloutStore {
  const { dialect } = engine;
  const rows = new RolloutRows(engine);
  const parts = {
    engine,
    targets: new TargetRows(dialect),
    box: new FetchBox(dialect, writer),
    reports: new Reports(dialect),
  };
  const insert = new Statement(
    "INSERT INTO rollout (id, owner_id, created_at, plan, state) VALUES ($1, $2, $3, $4, 'running')",
  );
  const insertTarget = new Statement(
    `INSERT INTO rollout_target (rollout, wave, client_id, rid, product, sn, state, at)
     VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7)`,
  );
  const change = new Statement(
    `UPDATE rollout SET state = coalesce($1, state), reason = coalesce($2, reason),
       wave = coalesce($3, wave), soak_until = CASE WHEN $4 = 1 THEN $5 ELSE soak_until END
     WHERE id = $6 AND state = $7 AND wave = $8`,
  );
  const watched = new Statement<{ clientId: number }>(
    `SELECT DISTINCT client_id AS "clientId" FROM rollout_target
     WHERE client_id IS NOT NULL AND state IN (${quoted(watchedStates)})`,
  );

  function* add({ id, ownerId, createdAt, targets, ...plan }: NewRollout): Work<void> {
    yield* insert.run(id, ownerId, createdAt, JSON.stringify(plan));
    for (const { wave, clientId, rid, product, sn } of targets) {
      yield* insertTarget.run(id, wave, clientId, rid, product, sn, createdAt);
    }
  }

  return {
    add: (rollout) => engine.write(() => add(rollout)),
    list: (ownerId, times) => rows.ofOwner(ownerId, times),
    find: (id, times) => rows.find(id, times),
    active: (times) => rows.active(times),
    watched: async () => (await engine.read(() => watched.all())).map(({ clientId }) => clientId),
    change: async (id, from, { state = null, reason = null, wave = null, soakUntil }) => {
      const setSoak = soakUntil === undefined ? 0 : 1;
      const changes = await engine.writeOnce(() =>
        change.run(state, reason, wave, setSoak, soakUntil ?? null, id, from.state, from.wave),
      );
      return changes === 1;
    },
    targets: listing(engine),
    ...sending(parts),
    ...observing(parts),
  };
}

function listing(engine: Engine): RolloutStore["targets"] {
  const where = "FROM rollout_target WHERE rollout = $1 AND state = coalesce($2, state)";
  // Failures first: they are what one looks for.
  const list = new Statement<Target>(
    `SELECT rid, product, sn, wave, state, at, detail ${where}
     ORDER BY state IN (${quoted(failureStates)}) DESC, id LIMIT $3 OFFSET $4`,
  );
  const count = new Statement<{ count: number }>(`SELECT count(*) AS count ${where}`);
  return (id, state, { offset, limit }) =>
    engine.read(function* () {
      const targets = yield* list.all(id, state ?? null, limit, offset);
      return { targets, total: (yield* count.first(id, state ?? null))?.count ?? 0 };
    });
}
