import type { AppKind, AppStatus } from "./app-status.ts";

/** One installed version of an app, ready on disk. */
export interface InstalledApp {
  readonly name: string;
  readonly version: string;
  readonly kind: AppKind;
  /** Absolute; holds the unpacked package and, for a long-running app, its `supervisor.conf`. */
  readonly directory: string;
}

/**
 * What the update pipeline asks of supervision. `deploy` and `withdraw` may be repeated after a crash: done twice
 * they leave what doing them once leaves.
 */
export interface AppHost {
  /**
   * Checks what the package asks of supervision without changing anything.
   * @throws GweError naming the option, the value and the line of `supervisor.conf` that is wrong
   */
  validate(app: InstalledApp): void;
  /** The registered version of an app; undefined when none is installed. */
  installed(name: string): InstalledApp | undefined;
  /** Makes this version the registered one, durably; a long-running app is (re)started unless it is wanted stopped. */
  deploy(app: InstalledApp): Promise<void>;
  /** Stops and forgets an app. An unknown name is fine. */
  withdraw(name: string): Promise<void>;
  /** Starts an app and keeps it wanted. @throws GweError when there is no such app, or nothing of it to start */
  startApp(name: string): Promise<void>;
  /** Stops an app until `startApp`, also across reboots and updates. @throws as `startApp` */
  stopApp(name: string): Promise<void>;
  /** @throws as `startApp` */
  restartApp(name: string): Promise<void>;
  /**
   * Resolves when a start has come to an end of some kind: RUNNING, EXITED for good, FATAL, STOPPED; or with the state at
   * hand after `timeoutMs` (0: at once).
   * @throws GweError when there is no such app
   */
  settled(name: string, timeoutMs: number, signal?: AbortSignal): Promise<AppStatus>;
}
