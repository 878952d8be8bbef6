import { spawnSync } from "node:child_process";

/** Runs a script of this directory again where no packet can leave or arrive. @returns its exit status */
export function inNetworkOfItsOwn(script: string): number {
  if (process.getuid?.() !== 0) {
    console.error("the system tests boot containers and must be run as root");
    return 1;
  }
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
