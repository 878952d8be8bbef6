import { resolve } from "node:path";
import { type Paths, pathsUnder } from "../core/paths.ts";
import { ConfigError, type ConfigFault } from "./errors.ts";

/** An absent or empty `GWE_HOME` means an installed gateway. */
export function resolvePaths(env: { readonly GWE_HOME?: string | undefined }): Paths {
  return pathsUnder(env.GWE_HOME ? resolve(env.GWE_HOME) : null);
}

/** The kernel's limit of `sun_path`, less its final zero byte. */
const maxSocketBytes = 107;
/** pm2 puts sockets of up to 15 further characters in there. */
const maxPm2HomeBytes = 90;

/**
 * Called when an engine starts.
 * @throws ConfigError where a path is too long for a Unix socket
 */
export function checkPaths(paths: Paths): void {
  const faults: ConfigFault[] = [];
  const check = (path: string, max: number): void => {
    const bytes = Buffer.byteLength(path);
    if (bytes <= max) return;
    const expected = `${path} has ${bytes} bytes, and a Unix socket allows ${max} here: choose a shorter GWE_HOME`;
    faults.push({ expected });
  };
  check(paths.controlSocket, maxSocketBytes);
  check(paths.pm2Home, maxPm2HomeBytes);
  if (faults.length > 0) throw new ConfigError(faults);
}
