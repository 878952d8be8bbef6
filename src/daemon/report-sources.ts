import { createHash } from "node:crypto";
import { engineVersion } from "../config/index.ts";
import type { Redact } from "../core/redact.ts";
import type { CheckInLoop, ReportSources } from "../engine/index.ts";
import { systemClock } from "../platform/system-clock.ts";
import { engineReport, type QueueHealth } from "../telemetry/index.ts";
import type { DeviceFactsSource } from "./device-facts-source.ts";
import type { DiskWritesSource } from "./disk-writes-source.ts";
import type { Hosting } from "./hosting.ts";
import type { UsageSource } from "./usage-source.ts";

export interface ReportSourcesDependencies {
  readonly hosting: Pick<Hosting, "supervisor">;
  readonly usage: UsageSource;
  readonly diskWrites: DiskWritesSource;
  readonly deviceFacts: DeviceFactsSource;
  readonly loop: () => Pick<CheckInLoop, "status" | "lastFailure">;
  /** Undefined where there is no queue. */
  readonly queue: () => QueueHealth | undefined;
  /** Keeps the time as it is known; durable with the caller's transaction. */
  readonly saveTime: () => void;
  readonly redact: Redact;
}

/** Asks the running parts for what the three reports tell. */
export function reportSources(dependencies: ReportSourcesDependencies): ReportSources {
  const { hosting, usage, diskWrites, deviceFacts, loop, queue, saveTime, redact } = dependencies;
  return {
    engineReport: async () => {
      const failure = loop().lastFailure();
      return engineReport({
        apps: hosting.supervisor.notedStatuses(),
        engineVersion,
        engine: {
          uptimeMs: process.uptime() * 1000,
          lastCheckInMs: loop().status().lastSuccessAtMs ?? undefined,
          lastFailure: failure && { ...failure, text: redact(failure.text) },
          diskWrittenInDayBytes: diskWrites.writtenInDay(),
        },
        queue: queue(),
        nowMs: systemClock.now(),
      });
    },
    deviceInfo: async () => {
      const { text, lasting } = await deviceFacts.deviceInfo();
      return { text, digest: createHash("sha256").update(lasting).digest("hex") };
    },
    deviceFingerprint: () => deviceFacts.fingerprint(),
    usageReport: () => usage.report(),
    saveCounts: () => {
      usage.save();
      diskWrites.save();
      saveTime();
    },
  };
}
