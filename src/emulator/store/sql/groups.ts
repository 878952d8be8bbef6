import type { GroupStore } from "../store.ts";
import type { Member, MemberType } from "../types.ts";
import { ConflictError, type Engine } from "./engine.ts";
import { Statement, type Work } from "./statement.ts";
import type { SqlParts } from "./stores.ts";

interface MemberRow {
  readonly type: MemberType;
  readonly id: string;
  readonly expire: number | null;
  readonly meta: string;
}

const toMember = (row: MemberRow): Member => ({ ...row, expire: row.expire ?? undefined });

export function sqlGroups({ engine }: Pick<SqlParts, "engine">): GroupStore {
  const list = new Statement<{ id: string; meta: string }>(
    "SELECT id, meta FROM content_group WHERE model_id = $1 ORDER BY id LIMIT $2 OFFSET $3",
  );
  const find = new Statement("SELECT 1 AS found FROM content_group WHERE model_id = $1 AND id = $2");
  const add = new Statement(
    "INSERT INTO content_group (model_id, id, meta) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
  );
  const remove = new Statement("DELETE FROM content_group WHERE model_id = $1 AND id = $2");
  const leave = new Statement("DELETE FROM group_member WHERE model_id = $1 AND type = 'group' AND id = $2");
  return {
    list: (modelId, { offset, limit }) => engine.read(() => list.all(modelId, limit, offset)),
    exists: async (modelId, id) => (await engine.read(() => find.first(modelId, id))) !== undefined,
    add: async (modelId, id, meta) => (await engine.writeOnce(() => add.run(modelId, id, meta))) === 1,
    remove: (modelId, id) =>
      engine.write(function* () {
        yield* leave.run(modelId, id);
        return (yield* remove.run(modelId, id)) === 1;
      }),
    ...members(engine),
  };
}

function members(engine: Engine): Pick<GroupStore, "members" | "addMembers" | "removeMembers" | "ofSerial"> {
  const list = new Statement<MemberRow>(
    `SELECT type, id, expire, meta FROM group_member WHERE model_id = $1 AND group_id = $2
       AND type = coalesce($3, type) AND id = coalesce($4, id) ORDER BY type, id LIMIT $5 OFFSET $6`,
  );
  const find = new Statement(
    "SELECT 1 AS found FROM group_member WHERE model_id = $1 AND group_id = $2 AND type = $3 AND id = $4",
  );
  const insert = new Statement(
    `INSERT INTO group_member (model_id, group_id, type, id, expire, meta) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT DO NOTHING`,
  );
  const remove = new Statement(
    "DELETE FROM group_member WHERE model_id = $1 AND group_id = $2 AND type = $3 AND id = $4",
  );
  const ofSerial = new Statement<{ groupId: string }>(
    `SELECT group_id AS "groupId" FROM group_member WHERE model_id = $1 AND type = 'sn' AND id = $2
     ORDER BY group_id`,
  );

  function* add(modelId: number, group: string, added: readonly Member[]): Work<boolean> {
    for (const { type, id } of added) {
      if ((yield* find.first(modelId, group, type, id)) !== undefined) return false;
    }
    const given = new Set<string>();
    for (const { type, id, expire, meta } of added) {
      const changes = yield* insert.run(modelId, group, type, id, expire ?? null, meta);
      const key = `${type}/${id}`;
      if (changes === 0 && !given.has(key)) throw new ConflictError("a member was added meanwhile");
      given.add(key);
    }
    return true;
  }

  return {
    members: async (modelId, group, { offset, limit }, { type = null, id = null }) =>
      (await engine.read(() => list.all(modelId, group, type, id, limit, offset))).map(toMember),
    addMembers: (modelId, group, added) => engine.write(() => add(modelId, group, added)),
    removeMembers: (modelId, group, removed) =>
      engine.write(function* () {
        let count = 0;
        for (const { type, id } of removed) count += yield* remove.run(modelId, group, type, id);
        return count;
      }),
    ofSerial: async (modelId, sn) =>
      (await engine.read(() => ofSerial.all(modelId, sn))).map(({ groupId }) => groupId),
  };
}
