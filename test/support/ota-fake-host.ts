import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { AppHost, InstalledApp } from "../../src/core/app-host.ts";
import type { AppState, AppStatus } from "../../src/core/app-status.ts";
import { GweError } from "../../src/core/errors.ts";
import { writeFileAtomic } from "../../src/platform/files.ts";

class FakeHostError extends GweError {
  readonly code = "FAKE_HOST";
}

/**
 * Supervision as far as the update pipeline can see it: remembers what is registered, in a file where one is given, so
 * that it outlives a killed process as the real one's state does.
 */
export class FakeAppHost implements AppHost {
  /** What the next start comes to. */
  state: AppState = "RUNNING";
  detail: string | undefined;
  /** Every version that was deployed, in order: `meter 1.0`. */
  readonly deployed: string[] = [];
  /** What starting and stopping was asked for: `restart meter`. */
  readonly changes: string[] = [];
  /** What single versions come to, in place of `state`. */
  readonly versionStates = new Map<string, AppState>();
  /** Told of each look at an app since its last start, before it is answered. */
  onLook: (look: number) => void = () => undefined;
  private looks = 0;
  restarts = 0;
  logFile: string | undefined;
  private apps: ReadonlyMap<string, InstalledApp>;
  private readonly file: string | undefined;

  constructor(file?: string) {
    this.file = file;
    this.apps = new Map(
      file !== undefined && existsSync(file)
        ? (JSON.parse(readFileSync(file, "utf8")) as [string, InstalledApp][])
        : [],
    );
  }

  validate(app: InstalledApp): void {
    if (app.kind !== "long-running") return;
    const conf = readFileSync(join(app.directory, "supervisor.conf"), "utf8");
    const line = conf.split("\n").findIndex((text) => text.startsWith("stopsignal=BAD"));
    if (line >= 0) throw new FakeHostError(`supervisor.conf line ${line + 1}: stopsignal: BAD is no signal`);
  }

  installed(name: string): InstalledApp | undefined {
    return this.apps.get(name);
  }

  async deploy(app: InstalledApp): Promise<void> {
    this.deployed.push(`${app.name} ${app.version}`);
    this.save(new Map([...this.apps, [app.name, app]]));
    this.looks = 0;
  }

  async withdraw(name: string): Promise<void> {
    this.save(new Map([...this.apps].filter(([other]) => other !== name)));
  }

  async startApp(name: string): Promise<void> {
    this.changed(name, "start");
    this.state = "RUNNING";
  }

  async stopApp(name: string): Promise<void> {
    this.changed(name, "stop");
    this.state = "STOPPED";
  }

  async restartApp(name: string): Promise<void> {
    this.changed(name, "restart");
    this.state = "RUNNING";
  }

  private changed(name: string, change: string): void {
    if (!this.apps.has(name)) throw new FakeHostError(`no app named "${name}" is installed`);
    this.changes.push(`${change} ${name}`);
  }

  async settled(name: string): Promise<AppStatus> {
    const app = this.apps.get(name);
    if (app === undefined) throw new FakeHostError(`no app named "${name}" is installed`);
    this.onLook(++this.looks);
    const told = this.versionStates.get(app.version) ?? this.state;
    return {
      name,
      version: app.version,
      kind: app.kind,
      state: told,
      sinceMs: 0,
      restarts: this.restarts,
      ...(told === "EXITED" && { exitStatus: 0 }),
      ...(this.logFile !== undefined && { logFile: this.logFile }),
      ...(this.detail !== undefined && { detail: this.detail }),
    };
  }

  private save(apps: ReadonlyMap<string, InstalledApp>): void {
    if (this.file !== undefined) writeFileAtomic(this.file, JSON.stringify([...apps]));
    this.apps = apps;
  }
}
