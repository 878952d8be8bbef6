import { engineVersion } from "../config/index.ts";
import { formatEngineMetrics } from "../telemetry/index.ts";
import type { Cloud } from "./cloud.ts";
import type { Hosting } from "./hosting.ts";

/** What `/metrics` tells of the engine and the apps, at this moment. */
export async function engineMetrics(
  { supervisor, outbox }: Pick<Hosting, "supervisor" | "outbox">,
  { loop, usage, diskWrites }: Pick<Cloud, "loop" | "usage" | "diskWrites">,
): Promise<string> {
  const { user, system } = process.cpuUsage();
  return formatEngineMetrics({
    engineVersion,
    nodeVersion: process.versions.node,
    apps: await supervisor.statuses(),
    checkIns: loop.checkIns(),
    lastCheckInMs: loop.status().lastSuccessAtMs ?? undefined,
    waitingResults: outbox.waitingResults(),
    process: {
      startedAtMs: performance.timeOrigin,
      cpuMs: (user + system) / 1000,
      residentBytes: process.memoryUsage.rss(),
      diskWrittenBytes: diskWrites.written(),
    },
    ...usage.current(),
  });
}
