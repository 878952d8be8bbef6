import { InvariantError } from "../../../core/errors.ts";
import type { OwnerStore } from "../store.ts";
import type { Owner } from "../types.ts";
import { newCik, newRid, newToken } from "./secrets.ts";
import { Statement } from "./statement.ts";
import type { SqlParts } from "./stores.ts";

/** The id of the token that the emulator prints when it starts. */
const firstTokenId = "first";

export function sqlOwners({ engine }: Pick<SqlParts, "engine">): OwnerStore {
  const columns = "owner.id, owner.rid, owner.cik";
  const first = new Statement<Owner>(`SELECT ${columns} FROM owner ORDER BY id LIMIT 1`);
  // The first owner has the first id: of two processes that begin on an empty database, one makes it.
  const insert = new Statement<Owner>(
    `INSERT INTO owner (id, rid, cik) VALUES (1, $1, $2) ON CONFLICT (id) DO NOTHING RETURNING ${columns}`,
  );
  const byCik = new Statement<Owner>(`SELECT ${columns} FROM owner WHERE cik = $1`);
  const byToken = new Statement<Owner>(
    `SELECT ${columns} FROM token JOIN owner ON owner.id = token.owner_id WHERE token.token = $1`,
  );
  const tokenIds = new Statement<{ id: string }>("SELECT id FROM token WHERE owner_id = $1 ORDER BY id");
  const token = new Statement<{ token: string }>("SELECT token FROM token WHERE owner_id = $1 AND id = $2");
  const addToken = new Statement(
    "INSERT INTO token (owner_id, id, token) VALUES ($1, $2, $3) ON CONFLICT (owner_id, id) DO NOTHING",
  );
  const setToken = new Statement(
    `INSERT INTO token (owner_id, id, token) VALUES ($1, $2, $3)
     ON CONFLICT (owner_id, id) DO UPDATE SET token = excluded.token`,
  );
  const removeToken = new Statement("DELETE FROM token WHERE owner_id = $1 AND id = $2");
  const vendors = new Statement<{ name: string }>(
    "SELECT name FROM vendor WHERE owner_id = $1 ORDER BY name",
  );
  const addVendor = new Statement(
    "INSERT INTO vendor (name, owner_id) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
  );
  const removeVendor = new Statement("DELETE FROM vendor WHERE owner_id = $1 AND name = $2");

  function* theFirst(wanted: string | undefined) {
    const owner =
      (yield* first.first()) ?? (yield* insert.first(newRid(), newCik())) ?? (yield* first.first());
    if (!owner) throw new InvariantError("the first owner is neither there nor can be made");
    const known = (yield* token.first(owner.id, firstTokenId))?.token;
    if (wanted !== undefined && wanted !== known) yield* setToken.run(owner.id, firstTokenId, wanted);
    // Another process may be as far: the one that comes second takes over what is there.
    if (wanted === undefined && known === undefined) yield* addToken.run(owner.id, firstTokenId, newToken());
    const current = wanted ?? known ?? (yield* token.first(owner.id, firstTokenId))?.token;
    if (current === undefined) throw new InvariantError("the first token is gone that was just written");
    return { owner, token: current };
  }

  return {
    first: (wanted) => engine.write(() => theFirst(wanted)),
    byCik: (cik) => engine.read(() => byCik.first(cik)),
    byToken: (value) => engine.read(() => byToken.first(value)),
    tokenIds: async (ownerId) => (await engine.read(() => tokenIds.all(ownerId))).map(({ id }) => id),
    token: async (ownerId, id) => (await engine.read(() => token.first(ownerId, id)))?.token,
    addToken: async (ownerId, id) => {
      const value = newToken();
      return (await engine.writeOnce(() => addToken.run(ownerId, id, value))) === 1 ? value : undefined;
    },
    removeToken: async (ownerId, id) => (await engine.writeOnce(() => removeToken.run(ownerId, id))) === 1,
    vendors: async (ownerId) => (await engine.read(() => vendors.all(ownerId))).map(({ name }) => name),
    addVendor: async (ownerId, vendor) =>
      (await engine.writeOnce(() => addVendor.run(vendor, ownerId))) === 1,
    removeVendor: async (ownerId, vendor) =>
      (await engine.writeOnce(() => removeVendor.run(ownerId, vendor))) === 1,
  };
}
