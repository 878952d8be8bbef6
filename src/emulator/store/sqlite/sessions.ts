import type { SessionStore } from "../operators.ts";
import type { SqliteDatabase } from "./database.ts";
import type { GroupCommit } from "./group-commit.ts";

interface Row {
  readonly id: number;
  readonly rid: string;
  readonly cik: string;
  readonly csrf: string;
  readonly expiresAt: number;
}

export function sqliteSessions(db: SqliteDatabase, commit: GroupCommit): SessionStore {
  const insert = db.prepare(
    "INSERT INTO console_session (hash, token, csrf, expires_at) VALUES (?, ?, ?, ?)",
  );
  const prune = db.prepare("DELETE FROM console_session WHERE expires_at <= ?");
  // Joined with the token: a session ends with what it was opened by.
  const find = db.prepare<[string, number], Row>(
    `SELECT owner.id, owner.rid, owner.cik, console_session.csrf, console_session.expires_at AS expiresAt
     FROM console_session JOIN token USING (token) JOIN owner ON owner.id = token.owner_id
     WHERE console_session.hash = ? AND console_session.expires_at > ?`,
  );
  const extend = db.prepare("UPDATE console_session SET expires_at = ? WHERE hash = ?");
  const remove = db.prepare("DELETE FROM console_session WHERE hash = ?");
  return {
    add: ({ hash, token, csrf, expiresAt, now }) =>
      commit.run(() => {
        prune.run(now);
        insert.run(hash, token, csrf, expiresAt);
      }),
    find: async (hash, now) => {
      const row = find.get(hash, now);
      if (!row) return undefined;
      const { csrf, expiresAt, ...owner } = row;
      return { owner, csrf, expiresAt };
    },
    extend: (hash, expiresAt) => commit.run(() => void extend.run(expiresAt, hash)),
    remove: (hash) => commit.run(() => void remove.run(hash)),
  };
}
