import { join } from "node:path";
import type { Database } from "better-sqlite3";

interface VersionRow {
  directory: string;
  app: string;
  version: string;
  job: number;
  installed_at: number | null;
}

export interface VersionDirectory {
  readonly directory: string;
  readonly app: string;
  readonly version: string;
  readonly job: number;
}

/**
 * Which directories under `apps/` the pipeline made, and for which job. Only directories recorded here are ever
 * removed: with a lost database nothing can be said of what is running, so everything stays.
 */
export class VersionDirectories {
  private readonly db: Database;
  private readonly appsDirectory: string;

  constructor(db: Database, appsDirectory: string) {
    this.db = db;
    this.appsDirectory = appsDirectory;
  }

  /** `apps/<app>`: holds the app's versions and what is being unpacked. */
  appDirectory(app: string): string {
    return join(this.appsDirectory, app);
  }

  /**
   * The directory for a job's version, recorded before it exists: `<version>`, or `<version>~2` and so on when that
   * one is there already, since it may be the running one. (`~` is no character of a version.)
   */
  claim(app: string, version: string, job: number, taken: ReadonlySet<string>): string {
    const own = this.db
      .prepare<[number], VersionRow>("SELECT * FROM ota_versions WHERE job = ? AND installed_at IS NULL")
      .get(job);
    if (own !== undefined) return own.directory;
    const known = new Set([
      ...taken,
      ...this.db
        .prepare<[string], string>("SELECT directory FROM ota_versions WHERE app = ?")
        .pluck()
        .all(app),
    ]);
    let directory = join(this.appDirectory(app), version);
    for (let copy = 2; known.has(directory); copy++) {
      directory = join(this.appDirectory(app), `${version}~${copy}`);
    }
    this.db
      .prepare("INSERT INTO ota_versions (directory, app, version, job) VALUES (?, ?, ?, ?)")
      .run(directory, app, version, job);
    return directory;
  }

  markInstalled(directory: string, now: number): void {
    this.db.prepare("UPDATE ota_versions SET installed_at = ? WHERE directory = ?").run(now, directory);
  }

  /** Directories that may go: those of ended jobs that failed, and installed ones beyond the newest `kept`. */
  superfluous(kept: number): readonly VersionDirectory[] {
    return this.db
      .prepare<[number], VersionRow>(
        `SELECT v.* FROM ota_versions v LEFT JOIN ota_jobs j ON j.id = v.job
         WHERE (v.installed_at IS NULL AND coalesce(j.ended, 1) = 1)
            OR (v.installed_at IS NOT NULL AND v.rowid NOT IN
                 (SELECT n.rowid FROM ota_versions n WHERE n.app = v.app AND n.installed_at IS NOT NULL
                  ORDER BY n.job DESC LIMIT ?))`,
      )
      .all(kept)
      .map(versionFrom);
  }

  /** Versions of an app that were installed successfully and not gone back on, newest first. */
  installed(app: string): readonly VersionDirectory[] {
    return this.db
      .prepare<[string], VersionRow>(
        "SELECT * FROM ota_versions WHERE app = ? AND installed_at IS NOT NULL ORDER BY job DESC",
      )
      .all(app)
      .map(versionFrom);
  }

  /** As `installed`, of all apps. */
  allInstalled(): readonly VersionDirectory[] {
    return this.db
      .prepare<[], VersionRow>("SELECT * FROM ota_versions WHERE installed_at IS NOT NULL ORDER BY job DESC")
      .all()
      .map(versionFrom);
  }

  /** The app goes back to this version: those installed after it are no longer wanted. */
  dropAfter(app: string, directory: string): void {
    this.db
      .prepare(
        `UPDATE ota_versions SET installed_at = NULL WHERE app = ? AND directory <> ? AND job >=
           (SELECT job FROM ota_versions WHERE directory = ?)`,
      )
      .run(app, directory, directory);
  }

  /** The app is gone: none of its versions is wanted any more. */
  dropAll(app: string): void {
    this.db.prepare("UPDATE ota_versions SET installed_at = NULL WHERE app = ?").run(app);
  }

  forget(directory: string): void {
    this.db.prepare("DELETE FROM ota_versions WHERE directory = ?").run(directory);
  }
}

function versionFrom({ directory, app, version, job }: VersionRow): VersionDirectory {
  return { directory, app, version, job };
}
