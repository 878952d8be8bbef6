import type { ModelStore } from "../store.ts";
import type { Model } from "../types.ts";
import type { ClientCache } from "./clients.ts";
import type { SqliteDatabase } from "./database.ts";
import type { GroupCommit } from "./group-commit.ts";

export function sqliteModels(db: SqliteDatabase, commit: GroupCommit, cache: ClientCache): ModelStore {
  const columns = "id, owner_id AS ownerId, name, rid, options";
  const list = db.prepare<[number, number, number], Model>(
    `SELECT ${columns} FROM model WHERE owner_id = ? ORDER BY name LIMIT ? OFFSET ?`,
  );
  const find = db.prepare<[string], Model>(`SELECT ${columns} FROM model WHERE name = ?`);
  const add = db.prepare(
    "INSERT INTO model (owner_id, name, rid, options) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO NOTHING",
  );
  const update = db.prepare("UPDATE model SET rid = ?, options = ? WHERE id = ?");
  const blobs = db
    .prepare<[number], string>("SELECT blob FROM content WHERE model_id = ? AND blob IS NOT NULL")
    .pluck();
  const removeSerials = db.prepare("DELETE FROM serial WHERE model_id = ?");
  const remove = db.prepare("DELETE FROM model WHERE id = ?");
  const hasVendor = db.prepare<[string, number]>("SELECT 1 FROM vendor WHERE name = ? AND owner_id = ?");

  return {
    list: async (ownerId, { offset, limit }) => list.all(ownerId, limit, offset),
    find: async (name) => find.get(name),
    add: ({ ownerId, name, rid, options }) =>
      commit.run(() => add.run(ownerId, name, rid, options).changes === 1),
    update: (modelId, { rid, options }) =>
      commit.run(() => {
        update.run(rid, options, modelId);
      }),
    remove: (modelId) =>
      commit.run(() => {
        const orphans = blobs.all(modelId);
        // Serials first: they hold the clients that the cascade is about to remove.
        removeSerials.run(modelId);
        remove.run(modelId);
        cache.clear();
        return orphans;
      }),
    hasVendor: async (model, vendor) =>
      vendor === model.name || hasVendor.get(vendor, model.ownerId) !== undefined,
  };
}
