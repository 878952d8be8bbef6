import { join } from "node:path";
import { packageFiles } from "./download/partial-file.ts";
import type { Journal } from "./journal.ts";
import type { OtaDependencies } from "./ports.ts";
import { isEnd } from "./state-machine.ts";
import { removeLeftover } from "./steps/package-file.ts";
import { removeStaleStaging } from "./steps/unpack.ts";
import type { VersionDirectories } from "./versions.ts";

export interface HousekeepingContext {
  readonly deps: OtaDependencies;
  readonly journal: Journal;
  readonly versions: VersionDirectories;
}

/** What a crash may have left on disk, and old records. To be called while no job is being worked on. */
export async function cleanUp({ deps, journal, versions }: HousekeepingContext): Promise<void> {
  const { files } = deps.platform;
  const needed = new Set(
    journal
      .unendedJobs()
      .filter(({ state }) => !isEnd(state))
      .flatMap(({ source }) => (source.kind === "content" ? Object.values(packageFiles(source.id)) : [])),
  );
  for (const name of await files.list(deps.directories.packages)) {
    if (!needed.has(name)) await removeLeftover(deps, join(deps.directories.packages, name));
  }
  for (const app of await files.list(deps.directories.apps))
    await removeStaleStaging({ deps, versions }, app);
  await prune({ deps, journal, versions });
  journal.dropOldCommands(deps.limits.keptCommands);
}

/** Removes versions that nobody needs any more: failed ones, and those before the current and the previous. */
export async function prune({ deps, versions }: HousekeepingContext): Promise<void> {
  for (const { directory, app } of versions.superfluous(deps.limits.keptVersions)) {
    // Whatever the records say, a version that supervision runs from stays.
    if (deps.host.installed(app)?.directory === directory) continue;
    if (await removeLeftover(deps, directory)) versions.forget(directory);
  }
}
