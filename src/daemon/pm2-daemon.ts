import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Paths } from "../config/index.ts";
import { redactor } from "../core/redact.ts";
import { replaceProcess } from "../platform/replace-process.ts";
import { systemClock } from "../platform/system-clock.ts";
import { Pm2Adapter, Pm2DaemonProcess, type Pm2DaemonSettings, removeAll } from "../supervisor/index.ts";
import { inheritedEnvironment } from "./inherited-environment.ts";
import { isJournalStream, openLogging } from "./logging.ts";
import { supervisorSystem } from "./platform-ports.ts";

/** pm2's daemon of the engine with these paths, whoever starts it. */
export function pm2DaemonSettings(paths: Paths): Pm2DaemonSettings {
  const pm2Package = createRequire(import.meta.url).resolve("pm2/package.json");
  return {
    home: paths.pm2Home,
    daemonFile: join(pm2Package, "../lib/Daemon.js"),
    nodeFile: process.execPath,
    environment: inheritedEnvironment(),
  };
}

/** For a unit of systemd: this process becomes pm2's daemon. @throws Pm2UnavailableError, ReplaceProcessError */
export async function becomePm2Daemon(paths: Paths): Promise<never> {
  return new Pm2DaemonProcess(unitDependencies(paths)).become(replaceProcess);
}

/**
 * For a unit of systemd that is being stopped, before systemd ends the daemon: ends the applications as supervisord
 * would, higher `priority` first. Not beside a running engine, which would start them again.
 *
 * @throws Pm2UnavailableError when no daemon answers
 */
export async function stopPm2Apps(paths: Paths): Promise<number> {
  const startTimeoutMs = 1_000;
  const pm2 = new Pm2Adapter({ ...unitDependencies(paths), daemonOwner: "systemd", startTimeoutMs });
  try {
    await pm2.ensureUp();
    await removeAll(pm2, await pm2.list());
    return 0;
  } finally {
    pm2.close();
  }
}

function unitDependencies(paths: Paths): ConstructorParameters<typeof Pm2DaemonProcess>[0] {
  const { logger } = openLogging({
    level: "info",
    file: undefined,
    journal: isJournalStream(process.stderr.fd),
    redact: redactor(() => []),
  });
  return {
    ...pm2DaemonSettings(paths),
    system: supervisorSystem,
    // The system clock's sleep keeps no process alive, and nothing else does here.
    clock: { ...systemClock, sleep: (ms) => setTimeout(ms) },
    logger,
  };
}
