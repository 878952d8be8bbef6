import type { SessionStore } from "../operators.ts";
import { Statement } from "./statement.ts";
import type { SqlParts } from "./stores.ts";

interface Row {
  readonly id: number;
  readonly rid: string;
  readonly cik: string;
  readonly csrf: string;
  readonly expiresAt: number;
}

export function sqlSessions({ engine }: Pick<SqlParts, "engine">): SessionStore {
  const insert = new Statement(
    "INSERT INTO console_session (hash, token, csrf, expires_at) VALUES ($1, $2, $3, $4)",
  );
  const prune = new Statement("DELETE FROM console_session WHERE expires_at <= $1");
  // Joined with the token: a session ends with what it was opened by.
  const find = new Statement<Row>(
    `SELECT owner.id, owner.rid, owner.cik, console_session.csrf, console_session.expires_at AS "expiresAt"
     FROM console_session JOIN token USING (token) JOIN owner ON owner.id = token.owner_id
     WHERE console_session.hash = $1 AND console_session.expires_at > $2`,
  );
  const extend = new Statement("UPDATE console_session SET expires_at = $1 WHERE hash = $2");
  const remove = new Statement("DELETE FROM console_session WHERE hash = $1");
  return {
    add: ({ hash, token, csrf, expiresAt, now }) =>
      engine.write(function* () {
        yield* prune.run(now);
        yield* insert.run(hash, token, csrf, expiresAt);
      }),
    find: async (hash, now) => {
      const row = await engine.read(() => find.first(hash, now));
      if (!row) return undefined;
      const { csrf, expiresAt, ...owner } = row;
      return { owner, csrf, expiresAt };
    },
    extend: async (hash, expiresAt) => {
      await engine.writeOnce(() => extend.run(expiresAt, hash));
    },
    remove: async (hash) => {
      await engine.writeOnce(() => remove.run(hash));
    },
  };
}
