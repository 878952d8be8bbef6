import type { Paths } from "../config/index.ts";
import type { Logger } from "../core/logger.ts";
import { EngineInstallation } from "../platform/engine-installation.ts";
import { installationPath } from "../platform/installation-path.ts";
import { runProcess } from "../platform/run-process.ts";
import type { EngineSettings } from "./engine-settings.ts";
import { EngineUpdate } from "./engine-update.ts";
import { inheritedEnvironment } from "./inherited-environment.ts";

export interface EngineUpdateParts {
  readonly paths: Paths;
  readonly settings: EngineSettings;
  /** Ends this process; whoever runs it starts the version that is current then. */
  readonly restart: () => void;
  readonly report: (text: string) => void;
}

/** With the real operating system. */
export function createEngineUpdate(
  { paths, settings, restart, report }: EngineUpdateParts,
  logger: Logger,
): EngineUpdate {
  return new EngineUpdate({
    paths,
    installation: EngineInstallation.at(installationPath()),
    checkedIn: (ms, signal) => settings.checkedIn(ms, signal),
    lastTrouble: () => settings.lastTrouble(),
    reaches: askMurano,
    restart,
    report,
    logger: logger.child({ part: "update" }),
  });
}

/** Whether Murano answers a program of another version of this engine, by the gateway's own configuration. */
async function askMurano(gdc: string): Promise<boolean> {
  const { end, exitCode } = await runProcess({
    command: gdc,
    args: ["timestamp"],
    cwd: "/",
    env: inheritedEnvironment(),
    timeoutMs: 60_000,
    killAfterMs: 1_000,
    maxOutputBytes: 1024,
  });
  return end === "exited" && exitCode === 0;
}
