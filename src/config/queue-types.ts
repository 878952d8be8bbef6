import type { LogLevel } from "./types.ts";

/** `gmq.cfg`, section `[unq]`: how the queue uploads. */
export interface UploadConfig {
  /** Seconds. */
  readonly batchRecordPeriodS: number;
  readonly batchQty: number;
  /** KiB of aliases and values in one request, before they are percent-encoded. */
  readonly batchKib: number;
  /** Identities that upload at the same time, at most. */
  readonly parallelUploads: number;
}

/** `gmq.cfg`, section `[db]`: how much is kept, and what gives way. 0 stands for no limit. */
export interface StoreConfig {
  readonly maxMib: number;
  readonly maxEntries: number;
  readonly maxAgeS: number;
  readonly identityMaxMib: number;
  readonly identityMaxEntries: number;
  readonly identityMaxAgeS: number;
  readonly whenFull: "reject" | "drop-oldest" | "drop-lowest-priority";
  readonly maxIdentities: number;
  readonly maxDeadLetters: number;
  readonly maxDeadMib: number;
}

/** `gmq.cfg`, section `[http]`: the local API. */
export interface HttpConfig {
  /** 0: the kernel's choice. */
  readonly port: number;
  readonly maxConnections: number;
  readonly maxBodyKib: number;
  readonly requestTimeoutS: number;
}

/** `gmq.cfg`, deeply frozen. */
export interface QueueConfig {
  readonly unq: UploadConfig;
  readonly db: StoreConfig;
  readonly http: HttpConfig;
  /** By alias, 0 (gives way first) to 9; 5 where not named. A name may end in `*`. From section `[priorities]`. */
  readonly priorities: ReadonlyMap<string, number>;
}

/** `logging.cfg`, section `[logging]`. */
export interface QueueLogConfig {
  /** Undefined: as the engine's own. */
  readonly level: LogLevel | undefined;
}
