import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Database } from "better-sqlite3";
import * as z from "zod/mini";
import type { InstalledApp } from "../core/app-host.ts";
import type { Replacement } from "../platform/sqlite.ts";

const rowSchema = z.object({ app: z.string(), version: z.string(), directory: z.string() });

/**
 * Apps that are installed, by the update pipeline's own record, and are missing in the registry of a database that was
 * replaced: the newest installed version of each whose directory is there. None where the registry was read whole.
 */
export function installedButUnknown(db: Database, { tables }: Replacement): readonly InstalledApp[] {
  const registry = tables?.find(({ table }) => table === "supervised_apps");
  if (registry === undefined || (!registry.damaged && registry.refused === 0)) return [];
  const rows = db
    .prepare(
      `SELECT app, version, directory, max(installed_at) FROM ota_versions
       WHERE installed_at IS NOT NULL AND app NOT IN (SELECT name FROM supervised_apps) GROUP BY app`,
    )
    .all();
  return rows.flatMap((row) => {
    const { app, version, directory } = rowSchema.parse(row);
    if (!existsSync(directory)) return [];
    const isLongRunning = existsSync(join(directory, "supervisor.conf"));
    return [{ name: app, version, directory, kind: isLongRunning ? "long-running" : "one-off" }];
  });
}
