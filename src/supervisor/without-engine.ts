import { join } from "node:path";
import type { AppStatus } from "../core/app-status.ts";
import type { Clock } from "../core/clock.ts";
import { AppFiles } from "./app-files.ts";
import { readDesiredCopy } from "./desired-copy.ts";
import { findPm2Daemon } from "./pm2/index.ts";
import { StatusBoard } from "./status-board.ts";
import type { SupervisorSystem } from "./system.ts";

export interface WithoutEngine {
  readonly directories: { readonly stateDir: string; readonly runDir: string; readonly pm2Home: string };
  readonly system: SupervisorSystem;
  readonly clock: Clock;
}

/**
 * The apps as their launchers noted them last, for when there is no engine to be asked.
 *
 * @throws NodeJS.ErrnoException when this user may not read the state or the run directory
 */
export function statusesWithoutEngine({ directories, system, clock }: WithoutEngine): readonly AppStatus[] {
  const { stateDir, runDir, pm2Home } = directories;
  const files = new AppFiles(runDir, system);
  // Forbidden, and not merely empty, to all but the engine's user: asked for before anything is made of it.
  files.keys();
  const apps = readDesiredCopy(join(stateDir, "apps.json"));
  const isUp = findPm2Daemon(pm2Home, system) !== undefined;
  const board = new StatusBoard({
    desired: { all: () => apps },
    files,
    pm2: { isUp: () => isUp },
    clock,
    health: () => undefined,
    logFiles: () => new Map(),
  });
  return apps.map((app) => board.status(app));
}
