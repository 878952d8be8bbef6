import { join } from "node:path";
import type { DurableFiles } from "../platform/durable-files.ts";
import type { KeptVersion } from "./state-machine.ts";

/** What a version's directory holds, as far as putting it back needs to know; undefined when the directory is gone. */
export async function keptVersion(
  files: Pick<DurableFiles, "list" | "isExecutable">,
  { version, directory }: { readonly version: string; readonly directory: string },
): Promise<KeptVersion | undefined> {
  const names = new Set(await files.list(directory));
  if (names.size === 0) return undefined;
  const hasScript = await files.isExecutable(join(directory, "install.sh"));
  const installer = hasScript ? "install.sh" : names.has("setup.py") ? "setup.py" : null;
  const kind = names.has("supervisor.conf") ? "long-running" : hasScript ? "one-off" : "library";
  return { version, directory, kind, installer };
}
