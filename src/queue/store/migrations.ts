import type { Migration } from "../../core/sql.ts";

/**
 * Without foreign keys on purpose: after a salvage a chunk whose neighbours are lost must not go with them.
 * What the tables mean: docs/queue.md.
 */
export const queueMigrations: readonly Migration[] = [
  {
    id: "queue/0001-store",
    sql: `
      CREATE TABLE identities (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        vendor TEXT, model TEXT, sn TEXT,
        cik TEXT,
        state TEXT NOT NULL CHECK (state IN ('new', 'active', 'unauthorized')),
        unauthorized_since_ms INTEGER,
        last_error TEXT
      ) STRICT;
      CREATE UNIQUE INDEX identities_by_vms ON identities (vendor, model, sn) WHERE vendor IS NOT NULL;

      -- Every CIK an identity ever had: apps go on using the one they once got.
      CREATE TABLE ciks (
        cik TEXT PRIMARY KEY,
        identity INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE boots (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        boot_id TEXT NOT NULL UNIQUE,
        offset_ms INTEGER
      ) STRICT;

      CREATE TABLE chunks (
        first_seq INTEGER PRIMARY KEY,
        identity INTEGER NOT NULL,
        lane INTEGER NOT NULL CHECK (lane IN (0, 1)),
        priority INTEGER NOT NULL,
        stamped_by INTEGER NOT NULL CHECK (stamped_by IN (0, 1)),
        boot INTEGER NOT NULL,
        at_ms INTEGER NOT NULL,
        since_boot_ms INTEGER NOT NULL,
        entries INTEGER NOT NULL CHECK (entries > 0),
        bytes INTEGER NOT NULL,
        payload TEXT NOT NULL
      ) STRICT;
      CREATE INDEX chunks_by_lane ON chunks (identity, lane, priority, first_seq);

      CREATE TABLE partial (
        first_seq INTEGER PRIMARY KEY,
        gone INTEGER NOT NULL CHECK (gone > 0),
        gone_bytes INTEGER NOT NULL
      ) STRICT;

      CREATE TABLE lanes (
        identity INTEGER NOT NULL,
        lane INTEGER NOT NULL,
        priority INTEGER NOT NULL,
        entries INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        last_seq INTEGER NOT NULL,
        accepted INTEGER NOT NULL,
        PRIMARY KEY (identity, lane, priority)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE batches (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        identity INTEGER NOT NULL,
        lane INTEGER NOT NULL,
        slices TEXT NOT NULL
      ) STRICT;

      CREATE TABLE seconds (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        identity INTEGER NOT NULL,
        alias TEXT NOT NULL,
        block INTEGER NOT NULL,
        bits BLOB NOT NULL CHECK (length(bits) = 128),
        UNIQUE (identity, alias, block)
      ) STRICT;

      CREATE TABLE dead (
        seq INTEGER PRIMARY KEY,
        identity INTEGER NOT NULL,
        alias TEXT NOT NULL,
        time_ms INTEGER NOT NULL,
        stamped_by INTEGER NOT NULL,
        reason TEXT NOT NULL,
        status INTEGER,
        answer TEXT,
        died_at_ms INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        -- Last: what stands behind a long value is slow to read.
        value TEXT NOT NULL
      ) STRICT;

      CREATE TABLE counters (
        identity INTEGER NOT NULL,
        name TEXT NOT NULL,
        value INTEGER NOT NULL,
        PRIMARY KEY (identity, name)
      ) STRICT, WITHOUT ROWID;
    `,
  },
  {
    id: "queue/0002-boots",
    // Boots from before it count as those of a machine whose hardware clock works: their times stand, if plausible.
    sql: `
      ALTER TABLE boots ADD COLUMN estimated INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE boots ADD COLUMN hardware_clock INTEGER NOT NULL DEFAULT 1;
      ALTER TABLE boots ADD COLUMN last_at_ms INTEGER;
      ALTER TABLE boots ADD COLUMN last_since_ms INTEGER;
      UPDATE boots SET last_at_ms = newest.at_ms, last_since_ms = newest.since_boot_ms
      FROM (SELECT boot, at_ms, since_boot_ms, max(first_seq) FROM chunks GROUP BY boot) AS newest
      WHERE boots.id = newest.boot;
    `,
  },
];

/** More seqs than can have been given out after the state that was salvaged. */
const salvageGap = 2 ** 32;

/** Counts what is there, leaves a gap of seqs, and gives up what belongs to nobody (it stays in the file set aside). */
export const queueAfterSalvage: readonly string[] = [
  "DELETE FROM chunks WHERE identity NOT IN (SELECT id FROM identities)",
  "DELETE FROM partial WHERE first_seq NOT IN (SELECT first_seq FROM chunks)",
  // What `lanes` had not yet counted (ledger.ts).
  `INSERT INTO lanes (identity, lane, priority, entries, bytes, last_seq, accepted)
   SELECT identity, lane, priority, 0, 0, 0, sum(entries) FROM chunks
   WHERE first_seq > max(
     (SELECT coalesce(max(last_seq), 0) FROM lanes),
     (SELECT coalesce(max(value), 0) FROM counters WHERE name = 'seq-floor'))
   GROUP BY identity, lane, priority
   ON CONFLICT DO UPDATE SET accepted = accepted + excluded.accepted`,
  `INSERT INTO counters (identity, name, value)
   SELECT 0, 'seq-floor', ${salvageGap} + max(
     (SELECT coalesce(max(first_seq + entries), 0) FROM chunks),
     (SELECT coalesce(max(last_seq), 0) FROM lanes),
     (SELECT coalesce(max(seq), 0) FROM dead),
     (SELECT coalesce(max(value), 0) FROM counters WHERE name = 'seq-floor'))
   ON CONFLICT DO UPDATE SET value = excluded.value`,
  "UPDATE lanes SET entries = 0, bytes = 0",
  `INSERT INTO lanes (identity, lane, priority, entries, bytes, last_seq, accepted)
   SELECT identity, lane, priority, sum(entries - coalesce(gone, 0)), sum(bytes - coalesce(gone_bytes, 0)), 0, 0
   FROM chunks LEFT JOIN partial USING (first_seq) WHERE true GROUP BY identity, lane, priority
   ON CONFLICT DO UPDATE SET entries = excluded.entries, bytes = excluded.bytes`,
];
