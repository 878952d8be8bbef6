import type { ModelStore } from "../store.ts";
import type { Model } from "../types.ts";
import { Statement } from "./statement.ts";
import type { SqlParts } from "./stores.ts";

export function sqlModels({ engine, cache }: Pick<SqlParts, "engine" | "cache">): ModelStore {
  const columns = 'id, owner_id AS "ownerId", name, rid, options';
  const list = new Statement<Model>(
    `SELECT ${columns} FROM model WHERE owner_id = $1 ORDER BY name LIMIT $2 OFFSET $3`,
  );
  const find = new Statement<Model>(`SELECT ${columns} FROM model WHERE name = $1`);
  const add = new Statement(
    "INSERT INTO model (owner_id, name, rid, options) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING",
  );
  const update = new Statement("UPDATE model SET rid = $1, options = $2 WHERE id = $3");
  const removeContent = new Statement<{ blob: string | null }>(
    "DELETE FROM content WHERE model_id = $1 RETURNING blob",
  );
  const removeSerials = new Statement("DELETE FROM serial WHERE model_id = $1");
  const remove = new Statement("DELETE FROM model WHERE id = $1");
  const hasVendor = new Statement("SELECT 1 AS found FROM vendor WHERE name = $1 AND owner_id = $2");

  function* removal(modelId: number) {
    const contents = yield* removeContent.all(modelId);
    // Serials first: they hold the clients that the cascade is about to remove.
    yield* removeSerials.run(modelId);
    yield* remove.run(modelId);
    cache.clear();
    return contents.flatMap(({ blob }) => blob ?? []);
  }

  return {
    list: (ownerId, { offset, limit }) => engine.read(() => list.all(ownerId, limit, offset)),
    find: (name) => engine.read(() => find.first(name)),
    add: async ({ ownerId, name, rid, options }) =>
      (await engine.writeOnce(() => add.run(ownerId, name, rid, options))) === 1,
    update: async (modelId, { rid, options }) => {
      await engine.writeOnce(() => update.run(rid, options, modelId));
    },
    remove: (modelId) => engine.write(() => removal(modelId)),
    hasVendor: async (model, vendor) =>
      vendor === model.name ||
      (await engine.read(() => hasVendor.first(vendor, model.ownerId))) !== undefined,
  };
}
