import type { OwnerStore } from "../store.ts";
import type { Owner } from "../types.ts";
import type { SqliteDatabase } from "./database.ts";
import type { GroupCommit } from "./group-commit.ts";
import { newCik, newRid, newToken } from "./secrets.ts";

/** The id of the token that the emulator prints when it starts. */
const firstTokenId = "first";

export function sqliteOwners(db: SqliteDatabase, commit: GroupCommit): OwnerStore {
  const columns = "owner.id, owner.rid, owner.cik";
  const first = db.prepare<[], Owner>(`SELECT ${columns} FROM owner ORDER BY id LIMIT 1`);
  const insert = db.prepare("INSERT INTO owner (rid, cik) VALUES (?, ?)");
  const byCik = db.prepare<[string], Owner>(`SELECT ${columns} FROM owner WHERE cik = ?`);
  const byToken = db.prepare<[string], Owner>(
    `SELECT ${columns} FROM token JOIN owner ON owner.id = token.owner_id WHERE token.token = ?`,
  );
  const tokenIds = db
    .prepare<[number], string>("SELECT id FROM token WHERE owner_id = ? ORDER BY id")
    .pluck();
  const token = db
    .prepare<[number, string], string>("SELECT token FROM token WHERE owner_id = ? AND id = ?")
    .pluck();
  const addToken = db.prepare(
    "INSERT INTO token (owner_id, id, token) VALUES (?, ?, ?) ON CONFLICT (owner_id, id) DO NOTHING",
  );
  const setToken = db.prepare(
    `INSERT INTO token (owner_id, id, token) VALUES (?, ?, ?)
     ON CONFLICT (owner_id, id) DO UPDATE SET token = excluded.token`,
  );
  const removeToken = db.prepare("DELETE FROM token WHERE owner_id = ? AND id = ?");
  const vendors = db
    .prepare<[number], string>("SELECT name FROM vendor WHERE owner_id = ? ORDER BY name")
    .pluck();
  const addVendor = db.prepare(
    "INSERT INTO vendor (name, owner_id) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
  );
  const removeVendor = db.prepare("DELETE FROM vendor WHERE owner_id = ? AND name = ?");

  return {
    first: (wanted) =>
      commit.run(() => {
        const rid = newRid();
        const cik = newCik();
        const owner = first.get() ?? { id: Number(insert.run(rid, cik).lastInsertRowid), rid, cik };
        const known = token.get(owner.id, firstTokenId);
        const current = wanted ?? known ?? newToken();
        if (current !== known) setToken.run(owner.id, firstTokenId, current);
        return { owner, token: current };
      }),
    byCik: async (cik) => byCik.get(cik),
    byToken: async (value) => byToken.get(value),
    tokenIds: async (ownerId) => tokenIds.all(ownerId),
    token: async (ownerId, id) => token.get(ownerId, id),
    addToken: (ownerId, id) =>
      commit.run(() => {
        const value = newToken();
        return addToken.run(ownerId, id, value).changes === 1 ? value : undefined;
      }),
    removeToken: (ownerId, id) => commit.run(() => removeToken.run(ownerId, id).changes === 1),
    vendors: async (ownerId) => vendors.all(ownerId),
    addVendor: (ownerId, vendor) => commit.run(() => addVendor.run(vendor, ownerId).changes === 1),
    removeVendor: (ownerId, vendor) => commit.run(() => removeVendor.run(ownerId, vendor).changes === 1),
  };
}
