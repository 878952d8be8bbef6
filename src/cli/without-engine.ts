import type { Paths } from "../config/index.ts";
import type { AppStatus } from "../core/app-status.ts";
import { supervisorSystem } from "../daemon/platform-ports.ts";
import { systemClock } from "../platform/system-clock.ts";
import { statusesWithoutEngine } from "../supervisor/index.ts";
import { ControlAccessError } from "./errors.ts";

/**
 * The apps as the run directory tells of them while the engine is down.
 * @throws ControlAccessError when it is not for this user
 */
export function appsWithoutEngine({ libDir, runDir, pm2Home }: Paths): readonly AppStatus[] {
  try {
    return statusesWithoutEngine({
      directories: { stateDir: libDir, runDir, pm2Home },
      system: supervisorSystem,
      clock: systemClock,
    });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EACCES" && code !== "EPERM") throw error;
    throw new ControlAccessError(`permission denied on ${runDir}: be root`, { cause: error });
  }
}
