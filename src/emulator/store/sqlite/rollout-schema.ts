export const rolloutSchema = `
  CREATE TABLE rollout (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
    owner_id INTEGER NOT NULL REFERENCES owner ON DELETE CASCADE, created_at INTEGER NOT NULL,
    -- The plan as JSON: it never changes.
    plan TEXT NOT NULL,
    state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', wave INTEGER NOT NULL DEFAULT 0, soak_until INTEGER
  ) STRICT;
  CREATE TABLE rollout_target (
    id INTEGER PRIMARY KEY, rollout TEXT NOT NULL REFERENCES rollout (id) ON DELETE CASCADE, wave INTEGER NOT NULL,
    client_id INTEGER REFERENCES client ON DELETE SET NULL,
    rid TEXT NOT NULL, product TEXT NOT NULL, sn TEXT NOT NULL,
    state TEXT NOT NULL, at INTEGER NOT NULL, detail TEXT NOT NULL DEFAULT '', excused INTEGER NOT NULL DEFAULT 0,
    -- Versions that the gateway reported before, as JSON.
    before TEXT NOT NULL DEFAULT '{}',
    -- The command in engine_fetch: its text, and the second that names it.
    sent TEXT, sent_ts INTEGER
  ) STRICT;
  CREATE INDEX rollout_target_tally ON rollout_target (rollout, wave, state, excused, at);
  CREATE INDEX rollout_target_client ON rollout_target (client_id, state);
`;
