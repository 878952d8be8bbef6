import { spawnSync } from "node:child_process";
import { debianRoot } from "./container.ts";

/** What a script makes its container of. */
interface RootOptions {
  /** The script's argument by default. */
  readonly suite?: string;
  readonly more?: readonly string[];
  readonly init?: "systemd" | "sysvinit";
}

/**
 * Runs a script of this directory again where no packet can leave or arrive, its Debian made before.
 * @returns its exit status
 */
export function inNetworkOfItsOwn(
  script: string,
  { suite = process.argv[2] ?? "bookworm", more = [], init = "systemd" }: RootOptions = {},
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
