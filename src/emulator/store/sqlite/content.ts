import type { ContentStore } from "../store.ts";
import type { ContentInfo } from "../types.ts";
import type { SqliteDatabase } from "./database.ts";
import type { GroupCommit } from "./group-commit.ts";

interface Row {
  readonly id: string;
  readonly meta: string;
  readonly protected: number;
  readonly contentType: string;
  readonly sizeBytes: number;
  readonly updatedAt: number;
  readonly blob: string | null;
}

const toInfo = (row: Row): ContentInfo => ({
  ...row,
  protected: row.protected === 1,
  blob: row.blob ?? undefined,
});

const columns = `content.id, content.meta, content.protected, content.content_type AS contentType,
  content.size AS sizeBytes, content.updated_at AS updatedAt, content.blob`;

/** The groups that the given member is in, directly or through groups in groups, by links that have not expired. */
const groupsAbove = (name: string, type: string, id: string) => `
  ${name} (id) AS (
    SELECT group_id FROM group_member
      WHERE model_id = @modelId AND type = '${type}' AND id = ${id} AND (expire IS NULL OR expire > @now)
    UNION
    SELECT m.group_id FROM group_member AS m JOIN ${name} ON m.id = ${name}.id
      WHERE m.model_id = @modelId AND m.type = 'group' AND (m.expire IS NULL OR m.expire > @now)
  )`;

export function sqliteContent(db: SqliteDatabase, commit: GroupCommit): ContentStore {
  const list = db.prepare<[number, number, number], Row>(
    `SELECT ${columns} FROM content WHERE model_id = ? ORDER BY id LIMIT ? OFFSET ?`,
  );
  const find = db.prepare<[number, string], Row>(
    `SELECT ${columns} FROM content WHERE model_id = ? AND id = ?`,
  );
  const add = db.prepare(
    `INSERT INTO content (model_id, id, meta, protected, updated_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (model_id, id) DO NOTHING`,
  );
  const setBlob = db.prepare(
    `UPDATE content SET blob = ?, content_type = ?, size = ?, updated_at = ?, meta = coalesce(?, meta)
     WHERE model_id = ? AND id = ?`,
  );
  const remove = db.prepare("DELETE FROM content WHERE model_id = ? AND id = ?");
  const leaveGroups = db.prepare(
    "DELETE FROM group_member WHERE model_id = ? AND type = 'content' AND id = ?",
  );
  const blobs = db.prepare<[], string>("SELECT blob FROM content WHERE blob IS NOT NULL").pluck();
  return {
    list: async (modelId, { offset, limit }) => list.all(modelId, limit, offset).map(toInfo),
    find: async (modelId, id) => {
      const row = find.get(modelId, id);
      return row && toInfo(row);
    },
    add: (modelId, content) =>
      commit.run(
        () =>
          add.run(modelId, content.id, content.meta, content.protected ? 1 : 0, content.now).changes === 1,
      ),
    setBlob: (modelId, id, blob) =>
      commit.run(() => {
        const before = find.get(modelId, id);
        setBlob.run(blob.name, blob.contentType, blob.sizeBytes, blob.now, blob.meta ?? null, modelId, id);
        return { found: before !== undefined, replaced: before?.blob ?? undefined };
      }),
    remove: (modelId, id) =>
      commit.run(() => {
        const before = find.get(modelId, id);
        remove.run(modelId, id);
        leaveGroups.run(modelId, id);
        return { found: before !== undefined, blob: before?.blob ?? undefined };
      }),
    blobs: async () => new Set(blobs.all()),
    ...authorisation(db),
  };
}

function authorisation(db: SqliteDatabase): Pick<ContentStore, "listFor" | "isAuthorised"> {
  type Subject = { modelId: number; sn: string; now: number };
  const isAuthorised = db.prepare<[Subject & { contentId: string }]>(
    `WITH RECURSIVE ${groupsAbove("mine", "sn", "@sn")}, ${groupsAbove("its", "content", "@contentId")}
     SELECT 1 FROM mine JOIN its USING (id) LIMIT 1`,
  );
  const all = db.prepare<[number], Row>(`SELECT ${columns} FROM content WHERE model_id = ? ORDER BY id`);
  return {
    isAuthorised: async (modelId, sn, contentId, now) =>
      isAuthorised.get({ modelId, sn, contentId, now }) !== undefined,
    listFor: async (modelId, sn, now) =>
      all
        .all(modelId)
        .filter(
          (row) =>
            row.protected === 0 || isAuthorised.get({ modelId, sn, contentId: row.id, now }) !== undefined,
        )
        .map(toInfo),
  };
}
