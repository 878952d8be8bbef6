import { spawnSync } from "node:child_process";
import { debianRoot, suiteOf } from "./container.ts";

/**
 * Runs a script of this directory again where no packet can leave or arrive, its Debian made before.
 * @param root what the script makes its container of; the suite is by default the script's argument
 * @returns its exit status
 */
export function inNetworkOfItsOwn(
  script: string,
  [suite = suiteOf(process.argv), more = [], init]: Partial<Parameters<typeof debianRoot>> = [],
): number {
  if (process.getuid?.() !== 0) {
    console.error("the system tests boot containers and must be run as root");
    return 1;
  }
  debianRoot(suite, more, init);
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
