import type { Config, QueueConfig } from "../config/index.ts";
import type { ForwarderSettings, HttpSettings, LimitSet, QueueLimits } from "../queue/index.ts";

/** docs/queue.md, "Seconds on the wire". */
export const rememberedBlocks = 65_536;

const kibi = 1024;
const mebi = 1024 * 1024;

/** Of disk space set aside (docs/queue.md, "When the disk is full"): the log goes into the file, and a new one grows. */
export const reserveBytes = 8 * mebi;

export function queueLimits({ db, priorities }: QueueConfig): QueueLimits {
  return {
    ...limitSet(db.maxMib, db.maxEntries, db.maxAgeS),
    perIdentity: limitSet(db.identityMaxMib, db.identityMaxEntries, db.identityMaxAgeS),
    whenFull: db.whenFull,
    priorities,
    maxIdentities: db.maxIdentities,
    maxDeadLetters: db.maxDeadLetters,
    maxDeadBytes: db.maxDeadMib * mebi,
  };
}

/** In the file, 0 stands for no limit. */
function limitSet(maxMib: number, maxEntries: number, maxAgeS: number): LimitSet {
  return {
    maxBytes: maxMib === 0 ? Number.POSITIVE_INFINITY : maxMib * mebi,
    maxEntries: maxEntries === 0 ? Number.POSITIVE_INFINITY : maxEntries,
    maxAgeMs: maxAgeS === 0 ? undefined : maxAgeS * 1000,
  };
}

export function forwarderSettings({ unq }: QueueConfig, { device }: Config): ForwarderSettings {
  return {
    batchRecordPeriodMs: unq.batchRecordPeriodS * 1000,
    batchEntries: unq.batchQty,
    batchBytes: unq.batchKib * kibi,
    parallelUploads: unq.parallelUploads,
    activationRetryMs: device.activationRetryIntervalS * 1000,
  };
}

export function httpSettings({ http }: QueueConfig): HttpSettings {
  return {
    port: http.port,
    maxConnections: http.maxConnections,
    maxBodyBytes: http.maxBodyKib * kibi,
    requestTimeoutMs: http.requestTimeoutS * 1000,
  };
}
