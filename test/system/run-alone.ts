import { spawnSync } from "node:child_process";
import { debianRoot, suiteOf } from "./container.ts";

/**
 * Runs a script of this directory again where no packet can leave or arrive, its Debian made before.
 * @param more Debian packages beside those that every system has
 * @returns its exit status
 */
export function inNetworkOfItsOwn(script: string, more: readonly string[] = []): number {
  if (process.getuid?.() !== 0) {
    console.error("the system tests boot containers and must be run as root");
    return 1;
  }
  debianRoot(suiteOf(process.argv), more);
  const { status, error } = spawnSync(
    "unshare",
    ["--net", process.execPath, script, ...process.argv.slice(2)],
    {
      env: { ...process.env, GWE_SYSTEM_NETWORK: "own" },
      stdio: "inherit",
    },
  );
  if (error !== undefined) console.error(error.message);
  return status ?? 1;
}
