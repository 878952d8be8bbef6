import type { DesiredApp } from "./desired-state.ts";

/** One process of an app. */
export interface AppProcess {
  /**
   * What pm2's entry and the directory under `run/apps/` are called: the app's name, or `<app>:<process>` where the
   * app has several. supervisord allows no colon in either name.
   */
  readonly key: string;
  readonly app: string;
  /** supervisord's process name. */
  readonly name: string;
}

/** The processes that an app consists of, in their order; none for one that is not supervised. */
export function processesOf(app: Pick<DesiredApp, "name" | "kind" | "processes">): readonly AppProcess[] {
  if (app.kind !== "long-running") return [];
  if (app.processes.length <= 1)
    return [{ key: app.name, app: app.name, name: app.processes[0] ?? app.name }];
  return app.processes.map((name) => ({ key: `${app.name}:${name}`, app: app.name, name }));
}

/** The app that a process belongs, or once belonged, to. */
export function appOfKey(key: string): string {
  return key.split(":", 1)[0] ?? key;
}

/** Whether one process of an app is to run. */
export function isProcessWanted(
  app: Pick<DesiredApp, "wanted" | "stoppedProcesses">,
  process: Pick<AppProcess, "name">,
): boolean {
  return app.wanted === "running" && !app.stoppedProcesses.includes(process.name);
}

/** Names come from pm2's list too, where anybody may have put any: none must lead out of a directory. */
export function isProcessKey(key: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.+@-]*(?::[^/\0]+)?$/.test(key);
}
