import * as z from "zod/mini";
import type { Migration } from "../core/sql.ts";
import type { JobState } from "./state-machine.ts";

/** The journal's tables. A command is open until its clearing from `engine_fetch` is acknowledged. */
export const otaMigrations: readonly Migration[] = [
  {
    id: "ota/0001-journal",
    sql: `
      CREATE TABLE ota_commands (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        report_id TEXT NOT NULL,
        operator_id TEXT,
        server_timestamp INTEGER,
        text_hash TEXT NOT NULL,
        source TEXT NOT NULL,
        report_wanted INTEGER NOT NULL,
        problems TEXT NOT NULL,
        received_at INTEGER NOT NULL,
        open INTEGER NOT NULL,
        ended INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX ota_commands_open ON ota_commands (seq) WHERE open = 1;
      CREATE TABLE ota_jobs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        command INTEGER NOT NULL REFERENCES ota_commands (seq) ON DELETE CASCADE,
        app TEXT NOT NULL,
        version TEXT NOT NULL,
        content_id TEXT,
        local_file TEXT,
        sha256 TEXT,
        state TEXT NOT NULL,
        transitions INTEGER NOT NULL,
        ended INTEGER NOT NULL,
        started_at INTEGER,
        finished_at INTEGER
      ) STRICT;
      CREATE INDEX ota_jobs_unended ON ota_jobs (id) WHERE ended = 0;
      CREATE INDEX ota_jobs_command ON ota_jobs (command);
      CREATE TABLE ota_versions (
        directory TEXT PRIMARY KEY,
        app TEXT NOT NULL,
        version TEXT NOT NULL,
        job INTEGER NOT NULL,
        installed_at INTEGER
      ) STRICT;
    `,
  },
];

const unpackedApp = z.object({
  directory: z.string(),
  kind: z.enum(["long-running", "one-off", "library"]),
  installer: z.enum(["install.sh", "setup.py"]),
});

const installerResult = z.object({
  exitCode: z.nullable(z.number()),
  output: z.string(),
  outputBytesCut: z.number(),
});

const installerProcess = z.object({ pid: z.number(), startTicks: z.number(), bootId: z.string() });

const jobState = z.discriminatedUnion("phase", [
  z.object({ phase: z.literal("received") }),
  z.object({ phase: z.literal("queued") }),
  z.object({ phase: z.literal("downloading") }),
  z.object({ phase: z.literal("verifying"), sizeBytes: z.nullable(z.number()) }),
  z.object({ phase: z.literal("unpacking"), sizeBytes: z.nullable(z.number()) }),
  z.object({
    phase: z.literal("installing"),
    app: unpackedApp,
    process: z.nullable(installerProcess),
    starts: z._default(z.number(), 0),
  }),
  z.object({ phase: z.literal("activating"), app: unpackedApp, result: installerResult }),
  z.object({ phase: z.literal("committed"), note: z.string(), result: installerResult }),
  z.object({
    phase: z.enum(["failed", "interrupted", "skipped"]),
    note: z.string(),
    result: installerResult,
  }),
]);

/** A job's `state` column; undefined when this version cannot read it. */
export function parseJobState(text: string): JobState | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = z.safeParse(jobState, value);
  return parsed.success ? parsed.data : undefined;
}
