import { rolloutSchema } from "./rollout-schema.ts";

/** Steps run once each, in order, and are never edited later: `user_version` counts those that ran. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE owner (id INTEGER PRIMARY KEY, rid TEXT NOT NULL UNIQUE, cik TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE vendor (
    name TEXT PRIMARY KEY, owner_id INTEGER NOT NULL REFERENCES owner ON DELETE CASCADE
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE token (
    owner_id INTEGER NOT NULL REFERENCES owner ON DELETE CASCADE, id TEXT NOT NULL, token TEXT NOT NULL UNIQUE,
    PRIMARY KEY (owner_id, id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE model (
    id INTEGER PRIMARY KEY, owner_id INTEGER NOT NULL REFERENCES owner ON DELETE CASCADE,
    name TEXT NOT NULL UNIQUE, rid TEXT NOT NULL, options TEXT NOT NULL
  ) STRICT;
  CREATE TABLE client (
    id INTEGER PRIMARY KEY, model_id INTEGER NOT NULL REFERENCES model ON DELETE CASCADE,
    rid TEXT NOT NULL UNIQUE, cik TEXT UNIQUE,
    -- Until when activation is open; null while it is closed.
    window_ends INTEGER
  ) STRICT;
  CREATE INDEX client_model ON client (model_id);
  CREATE TABLE serial (
    id INTEGER PRIMARY KEY, model_id INTEGER NOT NULL REFERENCES model ON DELETE CASCADE,
    sn TEXT NOT NULL, extra TEXT NOT NULL, client_id INTEGER UNIQUE REFERENCES client,
    UNIQUE (model_id, sn)
  ) STRICT;
  CREATE TABLE serial_range (
    model_id INTEGER NOT NULL REFERENCES model ON DELETE CASCADE, spec TEXT NOT NULL,
    PRIMARY KEY (model_id, spec)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE activation_log (
    id INTEGER PRIMARY KEY, serial_id INTEGER NOT NULL REFERENCES serial ON DELETE CASCADE,
    ts INTEGER NOT NULL, connection TEXT NOT NULL, entry TEXT NOT NULL
  ) STRICT;
  CREATE INDEX activation_log_serial ON activation_log (serial_id, id);

  CREATE TABLE dataport (
    id INTEGER PRIMARY KEY, client_id INTEGER NOT NULL REFERENCES client ON DELETE CASCADE,
    rid TEXT NOT NULL UNIQUE, alias TEXT, name TEXT NOT NULL, format TEXT NOT NULL, created_at INTEGER NOT NULL,
    current_ts INTEGER, points INTEGER NOT NULL DEFAULT 0,
    UNIQUE (client_id, alias)
  ) STRICT;
  -- An ordinary table: values are appended, and only the small index is written all over the place.
  CREATE TABLE point (
    dataport_id INTEGER NOT NULL REFERENCES dataport ON DELETE CASCADE, ts INTEGER NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (dataport_id, ts)
  ) STRICT;

  CREATE TABLE content (
    model_id INTEGER NOT NULL REFERENCES model ON DELETE CASCADE, id TEXT NOT NULL, meta TEXT NOT NULL,
    protected INTEGER NOT NULL, content_type TEXT NOT NULL DEFAULT '', size INTEGER NOT NULL DEFAULT 0,
    updated_at INTEGER NOT NULL, blob TEXT,
    PRIMARY KEY (model_id, id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE content_group (
    model_id INTEGER NOT NULL REFERENCES model ON DELETE CASCADE, id TEXT NOT NULL, meta TEXT NOT NULL,
    PRIMARY KEY (model_id, id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE group_member (
    model_id INTEGER NOT NULL, group_id TEXT NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL,
    expire INTEGER, meta TEXT NOT NULL,
    PRIMARY KEY (model_id, group_id, type, id),
    FOREIGN KEY (model_id, group_id) REFERENCES content_group ON DELETE CASCADE
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX group_member_of ON group_member (model_id, type, id);
  `,
  `
  -- The console: who is signed in, and the commands that operators gave.
  CREATE TABLE console_session (
    hash TEXT PRIMARY KEY, token TEXT NOT NULL, csrf TEXT NOT NULL, expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE operator_command (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, owner_id INTEGER NOT NULL REFERENCES owner ON DELETE CASCADE,
    at INTEGER NOT NULL, text TEXT NOT NULL
  ) STRICT;
  CREATE INDEX operator_command_owner ON operator_command (owner_id, seq);
  CREATE TABLE command_target (
    command_id TEXT NOT NULL REFERENCES operator_command (id) ON DELETE CASCADE,
    client_id INTEGER NOT NULL REFERENCES client ON DELETE CASCADE,
    state TEXT NOT NULL, at INTEGER NOT NULL, detail TEXT NOT NULL,
    PRIMARY KEY (command_id, client_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX command_target_client ON command_target (client_id);
  CREATE INDEX command_target_open ON command_target (state) WHERE state IN ('waiting', 'taken');
  `,
  rolloutSchema,
];
