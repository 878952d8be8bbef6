import { join } from "node:path";
import { packageFiles } from "./download/partial-file.ts";
import type { Journal } from "./journal.ts";
import type { OtaDependencies } from "./ports.ts";
import { isEnd, type JobState } from "./state-machine.ts";
import { removeLeftover } from "./steps/package-file.ts";
import { discardRuns } from "./steps/script-runs.ts";
import { removeStaleStaging } from "./steps/unpack.ts";
import type { VersionDirectories, VersionDirectory } from "./versions.ts";

export interface HousekeepingContext {
  readonly deps: OtaDependencies;
  readonly journal: Journal;
  readonly versions: VersionDirectories;
}

/** What a crash may have left on disk, and old records. To be called while no job is being worked on. */
export async function cleanUp({ deps, journal, versions }: HousekeepingContext): Promise<void> {
  const { files } = deps.platform;
  const unended = journal.unendedJobs().filter(({ state }) => !isEnd(state));
  const jobs = new Set(unended.map(({ id }) => id));
  await discardRuns(deps, (job) => !jobs.has(job));
  const needed = new Set(
    unended.flatMap(({ source }) =>
      source.kind === "content" ? Object.values(packageFiles(source.id)) : [],
    ),
  );
  for (const name of await files.list(deps.directories.packages)) {
    if (!needed.has(name)) await removeLeftover(deps, join(deps.directories.packages, name));
  }
  for (const app of await files.list(deps.directories.apps))
    await removeStaleStaging({ deps, versions }, app);
  await prune({ deps, journal, versions });
  journal.dropOldCommands(deps.limits.keptCommands);
}

/**
 * Removes versions that nobody needs any more: failed ones, those before the current and the previous, and, where all
 * together take too much of the disk, the oldest first. What a job that has not ended may put back stays, as does what
 * supervision runs from, whatever the records say.
 */
export async function prune({ deps, journal, versions }: HousekeepingContext): Promise<void> {
  const needed = new Set(journal.unendedJobs().flatMap(({ state }) => fallbackDirectory(state) ?? []));
  const isNeeded = ({ app, directory }: VersionDirectory): boolean =>
    needed.has(directory) || deps.host.installed(app)?.directory === directory;
  const remove = async ({ app, directory }: VersionDirectory): Promise<void> => {
    if (!(await removeLeftover(deps, directory))) return;
    versions.forget(directory);
    const parent = versions.appDirectory(app);
    if ((await deps.platform.files.list(parent)).length === 0) await removeLeftover(deps, parent);
  };
  for (const version of versions.superfluous(deps.limits.keptVersions)) {
    if (!isNeeded(version)) await remove(version);
  }
  for (const version of await overBudget({ deps, versions })) {
    if (!isNeeded(version)) await remove(version);
  }
}

/** Beyond the two newest of each app, the oldest versions that exceed the budget. */
async function overBudget({
  deps,
  versions,
}: Pick<HousekeepingContext, "deps" | "versions">): Promise<readonly VersionDirectory[]> {
  const all = versions.allInstalled();
  const seen = new Map<string, number>();
  const spare: VersionDirectory[] = [];
  for (const version of all) {
    const newer = seen.get(version.app) ?? 0;
    seen.set(version.app, newer + 1);
    if (newer >= alwaysKept) spare.push(version);
  }
  // Counting means reading directories: only where there is something to decide.
  if (spare.length === 0) return [];
  const { files } = deps.platform;
  const sizes = new Map<string, number>();
  for (const { directory } of all) sizes.set(directory, await files.treeBytes(directory));
  let total = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  const removed: VersionDirectory[] = [];
  for (const version of spare.reverse()) {
    if (total <= deps.limits.keptBytes) break;
    total -= sizes.get(version.directory) ?? 0;
    removed.push(version);
  }
  return removed;
}

/** The current version and the one to fall back on. */
const alwaysKept = 2;

function fallbackDirectory(state: JobState): string | undefined {
  if (state.phase === "rolling-back") return state.to?.directory;
  return "fallback" in state && state.fallback.kind === "version"
    ? state.fallback.version.directory
    : undefined;
}
