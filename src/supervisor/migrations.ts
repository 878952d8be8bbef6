import type { Migration } from "../core/sql.ts";

/** Supervision's part of `gateway.db`: which apps there are, and which are wanted running. */
export const supervisorMigrations: readonly Migration[] = [
  {
    id: "supervisor/0001-desired-state",
    sql: `
      CREATE TABLE supervised_apps (
        name TEXT PRIMARY KEY,
        version TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('long-running', 'one-off', 'library')),
        directory TEXT NOT NULL,
        wanted TEXT NOT NULL CHECK (wanted IN ('running', 'stopped')),
        -- Raised by everything that asks for a new start, so that what runs can be told from what should.
        generation INTEGER NOT NULL,
        installed_at INTEGER NOT NULL,
        wanted_since INTEGER NOT NULL
      ) STRICT;
      -- Generations never repeat, even for an app that was withdrawn and came back.
      CREATE TABLE supervisor_generation (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        last INTEGER NOT NULL
      ) STRICT;
      INSERT INTO supervisor_generation (id, last) VALUES (1, 0);
    `,
  },
  {
    id: "supervisor/0002-processes",
    // JSON: names of an app's processes; an older engine knows of one, with the app's name.
    sql: "ALTER TABLE supervised_apps ADD COLUMN processes TEXT NOT NULL DEFAULT '[]'",
  },
  {
    id: "supervisor/0003-stopped-processes",
    // JSON: names of those processes of an app wanted running that are to be stopped all the same.
    sql: "ALTER TABLE supervised_apps ADD COLUMN stopped_processes TEXT NOT NULL DEFAULT '[]'",
  },
];

/** Generations that were given out to rows now lost must not come back: a process may still run under one. */
export const supervisorAfterSalvage: readonly string[] = [
  "INSERT OR IGNORE INTO supervisor_generation (id, last) VALUES (1, 0)",
  `UPDATE supervisor_generation SET last = 1000 + max(last, (SELECT coalesce(max(generation), 0) FROM supervised_apps))`,
];
