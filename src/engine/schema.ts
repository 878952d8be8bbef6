import type { Migration } from "../core/sql.ts";

export const engineMigrations: readonly Migration[] = [
  {
    id: "engine/0001-outbox",
    sql: `
      CREATE TABLE outbox (
        seq   INTEGER PRIMARY KEY AUTOINCREMENT,
        alias TEXT NOT NULL,
        key   TEXT NOT NULL,
        value TEXT NOT NULL,
        UNIQUE (alias, key)
      ) STRICT;
      CREATE TABLE engine_facts (
        name  TEXT PRIMARY KEY,
        value TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
    `,
  },
];
