import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ProcessIdentity } from "../platform/process-table.ts";
import { type BootProcess, parseIdentity } from "./launcher/boot-process.ts";
import { type LauncherState, parseLauncherState } from "./launcher/state-file.ts";
import type { SupervisorSystem } from "./system.ts";

/** What the run directory tells of one app's processes. */
export interface AppTrace {
  /** What a launcher of this boot noted last. */
  readonly state: LauncherState | undefined;
  readonly launcher: ProcessIdentity | undefined;
  readonly child: ProcessIdentity | undefined;
}

/** `run/apps/<app>/`: where the engine and an app's launcher leave each other word. */
export class AppFiles {
  private readonly root: string;
  private readonly system: SupervisorSystem;

  constructor(runDir: string, system: SupervisorSystem) {
    this.root = join(runDir, "apps");
    this.system = system;
  }

  directory(name: string): string {
    return join(this.root, name);
  }

  /** Names the launcher, once there is one. */
  launcherFile(name: string): string {
    return join(this.directory(name), "launcher");
  }

  /** Apps that left a trace, wanted or not. */
  names(): readonly string[] {
    try {
      return readdirSync(this.root);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  }

  writeSpec(name: string, spec: string): void {
    this.system.ensureDirectory(this.directory(name), 0o700);
    this.system.writeFileAtomic(join(this.directory(name), "spec"), spec, { mode: 0o600 });
  }

  /** Only what lives or was noted in this boot: after a reboot, everything here is about processes long gone. */
  trace(name: string): AppTrace {
    const state = parseLauncherState(this.read(name, "state"));
    return {
      state: state?.bootId === this.system.bootId() ? state : undefined,
      launcher: this.alive(parseIdentity(this.read(name, "launcher"))),
      child: this.alive(parseIdentity(this.read(name, "child"))),
    };
  }

  remove(name: string): void {
    if (isAppName(name)) this.system.removePath(this.directory(name));
  }

  private alive(process: BootProcess | undefined): ProcessIdentity | undefined {
    if (process === undefined || process.bootId !== this.system.bootId()) return undefined;
    return this.system.isSameProcessAlive(process) ? process : undefined;
  }

  private read(name: string, file: string): string {
    if (!isAppName(name)) return "";
    try {
      return readFileSync(join(this.directory(name), file), "utf8");
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR") return "";
      throw error;
    }
  }
}

/** Names reach here from pm2's list too, where anybody may have put any: none must lead out of the directory. */
function isAppName(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.+@-]*$/.test(name);
}
