import { existsSync } from "node:fs";
import type { Paths } from "../config/index.ts";
import type { Logger } from "../core/logger.ts";
import { runProcess } from "../platform/run-process.ts";

const unitName = "gateway-engine-pm2.service";
const unitDirectories = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

/**
 * The systemd unit that runs pm2's daemon for the engine with these paths. Asked of the machine and not of the
 * environment: `gwe --once` in a shell must find the same owner as the service, or there would be two daemons.
 */
export function pm2UnitOf(paths: Paths): string | undefined {
  if (paths.home !== null || !existsSync("/run/systemd/system")) return undefined;
  return unitDirectories.some((directory) => existsSync(`${directory}/${unitName}`)) ? unitName : undefined;
}

/**
 * For an engine in a shell, whose unit may be down. The service itself leaves it to systemd, which has started both
 * and would refuse or undo a start while it stops them.
 */
export async function startPm2Unit(unit: string, logger: Logger): Promise<void> {
  if (process.env.GWE_PM2_UNIT === unit) return;
  const { end, exitCode, output } = await runProcess({
    command: "systemctl",
    args: ["start", unit],
    cwd: "/",
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    timeoutMs: 30_000,
    killAfterMs: 1_000,
    maxOutputBytes: 4096,
  });
  if (end === "exited" && exitCode === 0) return;
  logger.error("pm2's unit could not be started", { unit, end, exitCode, output: output.toString("utf8") });
}
