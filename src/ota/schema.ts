import * as z from "zod/mini";
import type { Migration } from "../core/sql.ts";
import type { JobState } from "./state-machine.ts";
import type { Task } from "./task.ts";

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
  {
    id: "ota/0002-tasks",
    // null: an installation.
    sql: "ALTER TABLE ota_jobs ADD COLUMN task TEXT",
  },
  {
    id: "ota/0003-signature",
    // From the command; null: none in there.
    sql: "ALTER TABLE ota_jobs ADD COLUMN signature TEXT",
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

const installerProcess = z.object({
  pid: z.number(),
  startTicks: z.number(),
  bootId: z.string(),
  // A part of a path.
  run: z.optional(z.object({ attempt: z.number(), script: z.string().check(z.regex(/^[a-z.-]+$/)) })),
});

const keptVersion = z.object({
  version: z.string(),
  directory: z.string(),
  kind: z.enum(["long-running", "one-off", "library"]),
  installer: z.nullable(z.enum(["install.sh", "setup.py"])),
});

/** Journals from before there was a rollback don't have it. */
const fallback = z._default(
  z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("version"), version: keptVersion }),
    z.object({ kind: z.literal("none") }),
    z.object({ kind: z.literal("unknown") }),
  ]),
  { kind: "unknown" },
);

const process = z.nullable(installerProcess);

const settingTexts = z.record(z.string(), z.string());

const jobState = z.discriminatedUnion("phase", [
  z.object({ phase: z.literal("received") }),
  z.object({ phase: z.literal("queued") }),
  z.object({ phase: z.literal("downloading") }),
  z.object({
    phase: z.literal("verifying"),
    sizeBytes: z.nullable(z.number()),
    // Journals from before the meta was looked at don't have it.
    sha256: z._default(z.nullable(z.string()), null),
  }),
  z.object({ phase: z.literal("unpacking"), sizeBytes: z.nullable(z.number()) }),
  z.object({
    phase: z.literal("installing"),
    app: unpackedApp,
    fallback,
    process,
    starts: z._default(z.number(), 0),
  }),
  z.object({ phase: z.literal("activating"), app: unpackedApp, fallback, result: installerResult }),
  z.object({
    phase: z.literal("probation"),
    app: unpackedApp,
    fallback,
    result: installerResult,
    process,
    resumes: z.number(),
  }),
  z.object({
    phase: z.literal("rolling-back"),
    to: z.nullable(keptVersion),
    deployed: z.boolean(),
    note: z.string(),
    result: installerResult,
    process,
  }),
  z.object({ phase: z.literal("performing"), process }),
  z.object({
    phase: z.literal("trying"),
    before: settingTexts,
    after: settingTexts,
    waitedMs: z.number(),
    resumes: z.number(),
  }),
  z.object({ phase: z.literal("restoring"), before: settingTexts, after: settingTexts, note: z.string() }),
  z.object({
    phase: z.enum(["committed", "failed", "rolled-back", "cancelled", "interrupted", "skipped"]),
    note: z.string(),
    result: installerResult,
  }),
]);

const task = z.discriminatedUnion("verb", [
  z.object({ verb: z.enum(["install", "remove", "start", "stop", "restart", "rollback", "cancel"]) }),
  z.object({ verb: z.literal("logs"), lines: z.number() }),
  z.object({ verb: z.literal("configure"), settings: settingTexts }),
]);

/** A job's `task` column; undefined when this version cannot read it. */
export function parseTask(text: string | null): Task | undefined {
  return text === null ? { verb: "install" } : read(task, text);
}

/** A job's `state` column; undefined when this version cannot read it. */
export function parseJobState(text: string): JobState | undefined {
  return read(jobState, text);
}

function read<T>(schema: z.ZodMiniType<T>, text: string): T | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = z.safeParse(schema, value);
  return parsed.success ? parsed.data : undefined;
}
