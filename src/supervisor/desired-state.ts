import type Database from "better-sqlite3";
import * as z from "zod/mini";
import type { InstalledApp } from "../core/app-host.ts";

/** An app as the engine wants it. */
export interface DesiredApp extends InstalledApp {
  readonly wanted: "running" | "stopped";
  readonly generation: number;
  /** Unix milliseconds. */
  readonly installedAtMs: number;
  readonly wantedSinceMs: number;
  /** supervisord's process names (`numprocs`, `process_name`), in order; none: one of the app's own name. */
  readonly processes: readonly string[];
  /** Those of an app wanted running that are wanted stopped one by one. */
  readonly stoppedProcesses: readonly string[];
}

/** What a wanted app is called alike in the table and in its second copy. */
export const wantedFields = {
  name: z.string(),
  version: z.string(),
  kind: z.enum(["long-running", "one-off", "library"]),
  directory: z.string(),
  wanted: z.enum(["running", "stopped"]),
  generation: z.int(),
};

const rowSchema = z.pipe(
  z.object({
    ...wantedFields,
    installed_at: z.int(),
    wanted_since: z.int(),
    processes: z.pipe(z.string(), z.transform(parseNames)),
    stopped_processes: z.pipe(z.string(), z.transform(parseNames)),
  }),
  z.transform(
    ({ installed_at, wanted_since, stopped_processes, ...row }): DesiredApp => ({
      ...row,
      installedAtMs: installed_at,
      wantedSinceMs: wanted_since,
      stoppedProcesses: stopped_processes,
    }),
  ),
);

/** The table of apps: every change is committed before it is acted on. */
export class DesiredState {
  private readonly db: Database.Database;
  private readonly now: () => number;
  /** As the table has them; undefined where it may have changed since. */
  private known: readonly DesiredApp[] | undefined;

  constructor(db: Database.Database, now: () => number) {
    this.db = db;
    this.now = now;
  }

  /** The same objects for as long as nothing changes. */
  all(): readonly DesiredApp[] {
    if (this.known !== undefined) return this.known;
    const rows = this.db.prepare("SELECT * FROM supervised_apps ORDER BY name").all();
    const apps = rows.map((row) => rowSchema.parse(row));
    // What a transaction has changed it may yet take back.
    if (!this.db.inTransaction) this.known = apps;
    return apps;
  }

  get(name: string): DesiredApp | undefined {
    return this.all().find((app) => app.name === name);
  }

  /**
   * Registers a version and asks for a new start of it. An app that is wanted stopped stays so.
   *
   * @param wantedAtFirst for an app that was not there before
   */
  register(app: InstalledApp & Pick<DesiredApp, "processes">, wantedAtFirst: "running" | "stopped"): void {
    const now = this.now();
    this.change(() => {
      this.db
        .prepare(
          `${insertApp}
           ON CONFLICT (name) DO UPDATE SET version = excluded.version, kind = excluded.kind,
             directory = excluded.directory, generation = excluded.generation, installed_at = excluded.installed_at,
             processes = excluded.processes`,
        )
        .run(
          rowOf({
            ...app,
            wanted: wantedAtFirst,
            generation: this.nextGeneration(),
            installedAtMs: now,
            wantedSinceMs: now,
            stoppedProcesses: [],
          }),
        );
    });
  }

  /** Records what an app's `supervisor.conf` makes of it now; what is not named any more ends. */
  setProcesses(name: string, processes: readonly string[]): void {
    this.change(() => {
      this.db
        .prepare("UPDATE supervised_apps SET processes = ? WHERE name = ?")
        .run(JSON.stringify(processes), name);
    });
  }

  /** Records which processes of an app wanted running are to be stopped; the others are not started anew. */
  setStoppedProcesses(name: string, stopped: readonly string[]): void {
    this.change(() => {
      this.db
        .prepare("UPDATE supervised_apps SET stopped_processes = ?, wanted_since = ? WHERE name = ?")
        .run(JSON.stringify(stopped), this.now(), name);
    });
  }

  /** Records what is wanted of all processes; `running` asks for a new start. */
  want(name: string, wanted: "running" | "stopped"): void {
    this.change(() => {
      this.db
        .prepare(`UPDATE supervised_apps
           SET wanted = ?, generation = ?, wanted_since = ?, stopped_processes = '[]' WHERE name = ?`)
        .run(wanted, this.nextGeneration(), this.now(), name);
    });
  }

  forget(name: string): void {
    this.change(() => {
      this.db.prepare("DELETE FROM supervised_apps WHERE name = ?").run(name);
    });
  }

  /** Puts back apps as an earlier database had them: what runs of them is recognised, and runs on. */
  restore(apps: readonly DesiredApp[]): void {
    this.change(() => {
      const insert = this.db.prepare(`${insertApp} ON CONFLICT DO NOTHING`);
      for (const app of apps) insert.run(rowOf(app));
      const last = Math.max(0, ...apps.map(({ generation }) => generation));
      this.db.prepare("UPDATE supervisor_generation SET last = max(last, ?)").run(last);
    });
  }

  private change(work: () => void): void {
    this.known = undefined;
    this.db.transaction(work)();
  }

  private nextGeneration(): number {
    const row = this.db.prepare("UPDATE supervisor_generation SET last = last + 1 RETURNING last").get();
    return z.object({ last: z.int() }).parse(row).last;
  }
}

const insertApp = `INSERT INTO supervised_apps
  (name, version, kind, directory, wanted, generation, installed_at, wanted_since, processes, stopped_processes)
  VALUES (@name, @version, @kind, @directory, @wanted, @generation, @installedAtMs, @wantedSinceMs, @processes,
    @stoppedProcesses)`;

function rowOf({
  processes,
  stoppedProcesses,
  ...app
}: DesiredApp): Readonly<Record<string, string | number>> {
  return {
    ...app,
    processes: JSON.stringify(processes),
    stoppedProcesses: JSON.stringify(stoppedProcesses),
  };
}

function parseNames(text: string): readonly string[] {
  return z.array(z.string()).parse(JSON.parse(text));
}
