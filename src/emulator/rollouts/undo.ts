import { type PackageName, PackageNameError, parsePackageName } from "../../core/package-name.ts";
import type { Command } from "./rollout.ts";

/** App → version that a gateway reported before the command was sent. */
export type VersionsBefore = Readonly<Record<string, string>>;

/** Whether what this command does can be taken back: only installing can. */
export function canBeUndone(command: Command): boolean {
  return (
    Object.keys(command).every((key) => key === "install" || key === "report") &&
    packagesOf(command).length > 0
  );
}

/**
 * The command that takes an installation back on one gateway: the version before where there was one, else the app goes.
 * Undefined where there is nothing to take back: it had these very versions already.
 */
export function undoCommand(command: Command, before: VersionsBefore): Command | undefined {
  const rollback: string[] = [];
  const remove: string[] = [];
  for (const { app, version } of packagesOf(command)) {
    const had = Object.hasOwn(before, app) ? before[app] : undefined;
    if (had === undefined || had === "") remove.push(app);
    else if (had !== version) rollback.push(app);
  }
  if (rollback.length + remove.length === 0) return undefined;
  return { ...(rollback.length > 0 && { rollback }), ...(remove.length > 0 && { remove }) };
}

/** Contents that a command installs. */
export function packagesOf(command: Command): PackageName[] {
  const { install } = command;
  if (!Array.isArray(install)) return [];
  return install.flatMap((entry: unknown) => {
    const name = typeof entry === "object" && entry !== null && "name" in entry ? String(entry.name) : "";
    try {
      return [parsePackageName(name)];
    } catch (error) {
      if (error instanceof PackageNameError) return [];
      throw error;
    }
  });
}
