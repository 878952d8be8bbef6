import type { GroupStore } from "../store.ts";
import type { Member, MemberType } from "../types.ts";
import type { SqliteDatabase } from "./database.ts";
import type { GroupCommit } from "./group-commit.ts";

interface MemberRow {
  readonly type: MemberType;
  readonly id: string;
  readonly expire: number | null;
  readonly meta: string;
}

const toMember = (row: MemberRow): Member => ({ ...row, expire: row.expire ?? undefined });

export function sqliteGroups(db: SqliteDatabase, commit: GroupCommit): GroupStore {
  const list = db.prepare<[number, number, number], { id: string; meta: string }>(
    "SELECT id, meta FROM content_group WHERE model_id = ? ORDER BY id LIMIT ? OFFSET ?",
  );
  const find = db.prepare<[number, string]>("SELECT 1 FROM content_group WHERE model_id = ? AND id = ?");
  const add = db.prepare(
    "INSERT INTO content_group (model_id, id, meta) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
  );
  const remove = db.prepare("DELETE FROM content_group WHERE model_id = ? AND id = ?");
  const leave = db.prepare("DELETE FROM group_member WHERE model_id = ? AND type = 'group' AND id = ?");
  return {
    list: async (modelId, { offset, limit }) => list.all(modelId, limit, offset),
    exists: async (modelId, id) => find.get(modelId, id) !== undefined,
    add: (modelId, id, meta) => commit.run(() => add.run(modelId, id, meta).changes === 1),
    remove: (modelId, id) =>
      commit.run(() => {
        leave.run(modelId, id);
        return remove.run(modelId, id).changes === 1;
      }),
    ...members(db, commit),
  };
}

function members(
  db: SqliteDatabase,
  commit: GroupCommit,
): Pick<GroupStore, "members" | "addMembers" | "removeMembers" | "ofSerial"> {
  type Filter = {
    modelId: number;
    group: string;
    type: string | null;
    id: string | null;
    limit: number;
    offset: number;
  };
  const list = db.prepare<[Filter], MemberRow>(
    `SELECT type, id, expire, meta FROM group_member WHERE model_id = @modelId AND group_id = @group
       AND type = coalesce(@type, type) AND id = coalesce(@id, id) ORDER BY type, id LIMIT @limit OFFSET @offset`,
  );
  const find = db.prepare(
    "SELECT 1 FROM group_member WHERE model_id = ? AND group_id = ? AND type = ? AND id = ?",
  );
  const insert = db.prepare(
    `INSERT INTO group_member (model_id, group_id, type, id, expire, meta) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  );
  const remove = db.prepare(
    "DELETE FROM group_member WHERE model_id = ? AND group_id = ? AND type = ? AND id = ?",
  );
  const ofSerial = db
    .prepare<[number, string], string>(
      "SELECT group_id FROM group_member WHERE model_id = ? AND type = 'sn' AND id = ? ORDER BY group_id",
    )
    .pluck();
  return {
    members: async (modelId, group, { offset, limit }, { type = null, id = null }) =>
      list.all({ modelId, group, type, id, limit, offset }).map(toMember),
    addMembers: (modelId, group, added) =>
      commit.run(() => {
        if (added.some(({ type, id }) => find.get(modelId, group, type, id) !== undefined)) return false;
        for (const { type, id, expire, meta } of added)
          insert.run(modelId, group, type, id, expire ?? null, meta);
        return true;
      }),
    removeMembers: (modelId, group, removed) =>
      commit.run(() =>
        removed.reduce((count, { type, id }) => count + remove.run(modelId, group, type, id).changes, 0),
      ),
    ofSerial: async (modelId, sn) => ofSerial.all(modelId, sn),
  };
}
