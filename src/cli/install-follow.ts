import { setTimeout as delay } from "node:timers/promises";
import type { InstallResult, JobRecord } from "../core/control-api.ts";
import type { PackageName } from "../core/package-name.ts";
import type { ControlClient } from "./control-client.ts";
import { CommandError, ControlBrokenOffError, ControlRefusedError, EngineNotRunningError } from "./errors.ts";

export interface FollowOptions {
  readonly client: Pick<ControlClient, "install" | "history" | "status">;
  readonly files: readonly string[];
  /** What the files hold. */
  readonly packages: readonly Pick<PackageName, "app" | "version">[];
  /** Tells a person why it takes longer. */
  readonly note: (line: string) => void;
}

const pollMs = 500;
/** An engine that is updated starts anew, up to four times with its way back; each start takes seconds. */
const longestAbsenceMs = 120_000;
/** It has begun to listen, and its journal knows nothing of ours. */
const longestUnknownMs = 10_000;

/**
 * Installs, through restarts of the engine: its journal goes on with what was begun, above all with an update of the engine
 * itself, and tells what became of it.
 *
 * @throws CommandError where the engine does not come back, or does not know of it
 */
export async function installThroughRestarts(options: FollowOptions): Promise<readonly InstallResult[]> {
  const { client, files, note } = options;
  const { clock } = await client.status();
  try {
    return await client.install(files);
  } catch (error) {
    if (!(error instanceof ControlBrokenOffError)) throw error;
  }
  note("gwe: the engine restarts; waiting for what becomes of it");
  return await outcome(options, clock.nowMs);
}

async function outcome({ client, packages }: FollowOptions, sinceMs: number): Promise<InstallResult[]> {
  let answeredAtMs = performance.now();
  let knownAtMs = answeredAtMs;
  for (;;) {
    const records = await recordsOf(client);
    const nowMs = performance.now();
    if (records === undefined) {
      if (nowMs - answeredAtMs > longestAbsenceMs) {
        throw new CommandError("the engine has not come back; gwe history will tell what became of it");
      }
      knownAtMs = nowMs;
    } else {
      answeredAtMs = nowMs;
      const ours = packages.map((one) => records.find((record) => isOurs(record, one, sinceMs)));
      const found = ours.filter((record) => record !== undefined);
      if (found.length === packages.length) knownAtMs = nowMs;
      if (found.length === packages.length && found.every(({ finishedAtMs }) => finishedAtMs !== null)) {
        return found.map(({ app, ...rest }) => ({ name: app, ...rest }));
      }
      if (nowMs - knownAtMs > longestUnknownMs) {
        throw new CommandError("the engine broke off before it had begun; gwe history tells what it did");
      }
    }
    await delay(pollMs);
  }
}

function isOurs(
  { app, version, action, startedAtMs }: JobRecord,
  wanted: Pick<PackageName, "app" | "version">,
  sinceMs: number,
): boolean {
  const isNew = startedAtMs === null || startedAtMs >= sinceMs;
  return action === "install" && app === wanted.app && version === wanted.version && isNew;
}

/** Newest first; undefined while the engine is away or does not answer. */
async function recordsOf(client: FollowOptions["client"]): Promise<readonly JobRecord[] | undefined> {
  try {
    return await client.history();
  } catch (error) {
    if (error instanceof EngineNotRunningError || error instanceof ControlRefusedError) return undefined;
    throw error;
  }
}
