import { join } from "node:path";
import { ConfigError, ConfigStore, type Paths, QueueConfigStore } from "../../config/index.ts";
import { configIo } from "../../daemon/config-io.ts";
import { ensureDirectory, writeFileAtomic } from "../../platform/files.ts";
import { appPackage, packageName } from "./app-package.ts";
import type { ImportPlan } from "./plan.ts";

/** Where packages wait for the engine's next start (gateway-engine-apps.service). */
export function waitingApps({ libDir }: Paths): string {
  return join(libDir, "apps_to_install");
}

/** Writes what the plan says; durable when it returns, and may be repeated. @returns what could not be set, each a sentence */
export function carryOut({ changes, queueChanges, apps }: ImportPlan, paths: Paths): readonly string[] {
  new ConfigStore({ paths, io: configIo }).set(changes);
  const queue = new QueueConfigStore({ paths, io: configIo, file: "gmqCfg" });
  const refused: string[] = [];
  for (const { section, key, value } of queueChanges) {
    try {
      queue.set(section, key, value);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      refused.push(error.message);
    }
  }
  const directory = waitingApps(paths);
  if (apps.length > 0) ensureDirectory(directory);
  for (const app of apps) {
    // How a program is run may hold passwords.
    writeFileAtomic(join(directory, packageName(app)), appPackage(app, new Date()), { mode: 0o600 });
  }
  return refused;
}
