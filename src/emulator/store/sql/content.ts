import type { ContentStore } from "../store.ts";
import type { ContentInfo } from "../types.ts";
import type { Engine } from "./engine.ts";
import { Statement, type Work } from "./statement.ts";
import type { SqlParts } from "./stores.ts";

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

const columns = `content.id, content.meta, content.protected, content.content_type AS "contentType",
  content.size AS "sizeBytes", content.updated_at AS "updatedAt", content.blob`;

/**
 * The groups that the given member is in, directly or through groups in groups, by links that have not expired; `$1`:
 * the model, `$2`: now.
 */
const groupsAbove = (name: string, type: string, id: string) => `
  ${name} (id) AS (
    SELECT group_id FROM group_member
      WHERE model_id = $1 AND type = '${type}' AND id = ${id} AND (expire IS NULL OR expire > $2)
    UNION
    SELECT m.group_id FROM group_member AS m JOIN ${name} ON m.id = ${name}.id
      WHERE m.model_id = $1 AND m.type = 'group' AND (m.expire IS NULL OR m.expire > $2)
  )`;

export function sqlContent({ engine }: Pick<SqlParts, "engine">): ContentStore {
  const list = new Statement<Row>(
    `SELECT ${columns} FROM content WHERE model_id = $1 ORDER BY id LIMIT $2 OFFSET $3`,
  );
  const one = `SELECT ${columns} FROM content WHERE model_id = $1 AND id = $2`;
  const find = new Statement<Row>(one);
  const hold = new Statement<Row>(`${one} ${engine.dialect.forUpdate("content")}`);
  const add = new Statement(
    `INSERT INTO content (model_id, id, meta, protected, updated_at) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (model_id, id) DO NOTHING`,
  );
  const setBlob = new Statement(
    `UPDATE content SET blob = $1, content_type = $2, size = $3, updated_at = $4, meta = coalesce($5, meta)
     WHERE model_id = $6 AND id = $7`,
  );
  const remove = new Statement("DELETE FROM content WHERE model_id = $1 AND id = $2");
  const leaveGroups = new Statement(
    "DELETE FROM group_member WHERE model_id = $1 AND type = 'content' AND id = $2",
  );
  const blobs = new Statement<{ blob: string }>("SELECT blob FROM content WHERE blob IS NOT NULL");
  return {
    list: async (modelId, { offset, limit }) =>
      (await engine.read(() => list.all(modelId, limit, offset))).map(toInfo),
    find: async (modelId, id) => {
      const row = await engine.read(() => find.first(modelId, id));
      return row && toInfo(row);
    },
    add: async (modelId, { id, meta, protected: isProtected, now }) =>
      (await engine.writeOnce(() => add.run(modelId, id, meta, isProtected ? 1 : 0, now))) === 1,
    setBlob: (modelId, id, { name, contentType, sizeBytes, now, meta }) =>
      engine.write(function* () {
        const before = yield* hold.first(modelId, id);
        yield* setBlob.run(name, contentType, sizeBytes, now, meta ?? null, modelId, id);
        return { found: before !== undefined, replaced: before?.blob ?? undefined };
      }),
    remove: (modelId, id) =>
      engine.write(function* () {
        const before = yield* hold.first(modelId, id);
        yield* remove.run(modelId, id);
        yield* leaveGroups.run(modelId, id);
        return { found: before !== undefined, blob: before?.blob ?? undefined };
      }),
    blobs: async () => new Set((await engine.read(() => blobs.all())).map(({ blob }) => blob)),
    ...authorisation(engine),
  };
}

function authorisation(engine: Engine): Pick<ContentStore, "listFor" | "isAuthorised"> {
  const find = new Statement(
    `WITH RECURSIVE ${groupsAbove("mine", "sn", "$3")}, ${groupsAbove("its", "content", "$4")}
     SELECT 1 AS found FROM mine JOIN its USING (id) LIMIT 1`,
  );
  const all = new Statement<Row>(`SELECT ${columns} FROM content WHERE model_id = $1 ORDER BY id`);
  function* isAuthorised(modelId: number, sn: string, contentId: string, now: number): Work<boolean> {
    return (yield* find.first(modelId, now, sn, contentId)) !== undefined;
  }
  function* listFor(modelId: number, sn: string, now: number): Work<ContentInfo[]> {
    const allowed: ContentInfo[] = [];
    for (const row of yield* all.all(modelId)) {
      if (row.protected === 0 || (yield* isAuthorised(modelId, sn, row.id, now))) allowed.push(toInfo(row));
    }
    return allowed;
  }
  return {
    isAuthorised: (modelId, sn, contentId, now) =>
      engine.read(() => isAuthorised(modelId, sn, contentId, now)),
    listFor: (modelId, sn, now) => engine.read(() => listFor(modelId, sn, now)),
  };
}
