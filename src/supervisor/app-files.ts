import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ProcessIdentity } from "../platform/process-table.ts";
import { type BootProcess, parseIdentity } from "./launcher/boot-process.ts";
import { type LauncherState, parseLauncherState } from "./launcher/state-file.ts";
import { isProcessKey } from "./process-key.ts";
import type { SupervisorSystem } from "./system.ts";

/** What the run directory tells of one process of an app. */
export interface ProcessTrace {
  /** What a launcher of this boot noted last. */
  readonly state: LauncherState | undefined;
  readonly launcher: ProcessIdentity | undefined;
  readonly child: ProcessIdentity | undefined;
}

/** `run/apps/<key>/`: where the engine and the launcher of an app's process leave each other word. */
export class AppFiles {
  private readonly root: string;
  private readonly system: SupervisorSystem;
  private readonly bootId: string;
  /** What the file `state` of each process said when it was last read, and what that means. */
  private readonly read = new Map<
    string,
    { readonly text: string; readonly state: LauncherState | undefined }
  >();

  constructor(runDir: string, system: SupervisorSystem) {
    this.root = join(runDir, "apps");
    this.system = system;
    this.bootId = system.bootId();
  }

  directory(key: string): string {
    return join(this.root, key);
  }

  /** Names the launcher, once there is one. */
  launcherFile(key: string): string {
    return join(this.directory(key), "launcher");
  }

  /** Processes that left a trace, wanted or not. */
  keys(): readonly string[] {
    try {
      return readdirSync(this.root);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  }

  writeSpec(key: string, spec: string): void {
    this.system.ensureDirectory(this.directory(key), 0o700);
    this.system.writeFileAtomic(join(this.directory(key), "spec"), spec, { mode: 0o600 });
  }

  /** Only what lives or was noted in this boot: after a reboot, everything here is about processes long gone. */
  trace(key: string): ProcessTrace {
    const state = this.state(key);
    return {
      state: state?.bootId === this.bootId ? state : undefined,
      launcher: this.alive(parseIdentity(this.text(key, "launcher"))),
      child: this.alive(parseIdentity(this.text(key, "child"))),
    };
  }

  /** As if it had never been started. To be called when its launcher has ended for good. */
  forgetState(key: string): void {
    if (isProcessKey(key)) this.system.removePath(join(this.directory(key), "state"));
  }

  remove(key: string): void {
    this.read.delete(key);
    if (isProcessKey(key)) this.system.removePath(this.directory(key));
  }

  /** It says the same nearly always. */
  private state(key: string): LauncherState | undefined {
    const text = this.text(key, "state");
    const known = this.read.get(key);
    if (known?.text === text) return known.state;
    const state = parseLauncherState(text);
    this.read.set(key, { text, state });
    return state;
  }

  private alive(process: BootProcess | undefined): ProcessIdentity | undefined {
    if (process === undefined || process.bootId !== this.bootId) return undefined;
    return this.system.isSameProcessAlive(process) ? process : undefined;
  }

  private text(key: string, file: string): string {
    if (!isProcessKey(key)) return "";
    try {
      return readFileSync(join(this.directory(key), file), "utf8");
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR") return "";
      throw error;
    }
  }
}
