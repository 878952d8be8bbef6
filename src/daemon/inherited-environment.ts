import { join } from "node:path";
import { installationPath } from "../platform/installation-path.ts";

/** systemd's, for the engine itself: another program must not speak for it. */
const serviceNames = new Set(["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]);

/** `bin/gwe` names here what it has set for the engine's process alone, separated by spaces. */
const ownVariables = "GWE_OWN_VARIABLES";

/**
 * What apps and installers inherit: the engine's own environment, with `gwe` and `gdc` to be found on its PATH, since
 * scripts in the field call them by name. Each feature takes out what is not for its programs.
 */
export function inheritedEnvironment(): Readonly<Record<string, string>> {
  const { env } = process;
  const launchers = new Set([ownVariables, ...(env[ownVariables]?.split(" ") ?? [])]);
  const entries = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !serviceNames.has(entry[0]) && !launchers.has(entry[0]),
  );
  const path = env.PATH ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  return { ...Object.fromEntries(entries), PATH: `${path}:${join(installationPath(), "bin")}` };
}
