import type { LogLevel, Paths } from "../config/index.ts";

export interface RunDaemonOptions {
  readonly paths: Paths;
  /** One check-in and its jobs, then the end. */
  readonly once?: boolean;
  /** For this run, in place of what `Engine.config` says. */
  readonly logLevelOverride?: LogLevel;
  /** Absolute paths of tarballs to install; without `once` the run ends when they are done. */
  readonly installFiles?: readonly string[];
  /** Apps to remove; likewise. */
  readonly removeApps?: readonly string[];
}

/** Resolves to the exit status when the engine has stopped. */
export type RunDaemon = (options: RunDaemonOptions) => Promise<number>;

/** The engine and all it needs are loaded here and nowhere else: no other command pays for them. */
export const runDaemon: RunDaemon = async (options) => {
  const daemon: { readonly runDaemon: RunDaemon } = await import("../daemon/index.ts");
  return daemon.runDaemon(options);
};
