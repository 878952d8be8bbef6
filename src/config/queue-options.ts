import * as z from "zod/mini";
import { type Option, type OptionsOf, oneOf, seconds, wholeNumber } from "./option.ts";
import type { HttpConfig, QueueLogConfig, StoreConfig, UploadConfig } from "./queue-types.ts";
import { logLevels } from "./types.ts";

const count = (key: string, min: number, max: number, fallback: number, unit: string): Option<number> => ({
  key,
  schema: wholeNumber(min, max),
  fallback,
  expected: `a whole number${unit === "" ? "" : ` of ${unit}`} from ${min}${min === 0 ? " (no limit)" : ""} to ${max}`,
});

const decimalSeconds = (key: string, min: number, max: number, fallback: number): Option<number> => ({
  key,
  schema: z.pipe(
    z.pipe(z.string().check(z.regex(/^\d{1,6}(\.\d{1,3})?$/)), z.transform(Number)),
    z.number().check(z.minimum(min), z.maximum(max)),
  ),
  fallback,
  expected: `seconds from ${min} to ${max}, with up to three decimals`,
});

const mebi = 1_048_576;
const decadeS = 315_360_000;

export const uploadOptions: OptionsOf<UploadConfig> = {
  batchRecordPeriodS: decimalSeconds("batch_record_period", 0, 3_600, 10),
  batchQty: count("batch_qty", 1, 10_000, 1_000, "entries"),
  batchKib: count("batch_kib", 1, 8_192, 512, "KiB"),
  parallelUploads: count("parallel_uploads", 1, 64, 4, "identities"),
};

export const storeOptions: OptionsOf<StoreConfig> = {
  maxMib: count("max_mib", 0, mebi, 512, "MiB"),
  maxEntries: count("max_entries", 0, 1_000_000_000, 0, "entries"),
  maxAgeS: count("max_age", 0, decadeS, 0, "seconds"),
  identityMaxMib: count("identity_max_mib", 0, mebi, 0, "MiB"),
  identityMaxEntries: count("identity_max_entries", 0, 1_000_000_000, 0, "entries"),
  identityMaxAgeS: count("identity_max_age", 0, decadeS, 0, "seconds"),
  whenFull: oneOf("when_full", ["reject", "drop-oldest", "drop-lowest-priority"], "reject"),
  maxIdentities: count("max_identities", 1, 100_000, 1_000, "identities"),
  maxDeadLetters: count("max_dead_letters", 1, 10_000_000, 100_000, "dead letters"),
  maxDeadMib: count("max_dead_mib", 1, mebi, 64, "MiB"),
};

/** @param port where nothing is set: 8090, or the kernel's choice for an engine under `GWE_HOME` */
export function httpOptions(port: number): OptionsOf<HttpConfig> {
  return {
    port: {
      key: "port",
      schema: wholeNumber(0, 65_535),
      fallback: port,
      expected: "a port from 1 to 65535, or 0 for any that is free",
    },
    maxConnections: count("max_connections", 1, 10_000, 256, "connections"),
    maxBodyKib: count("max_body_kib", 1, 65_536, 4_096, "KiB"),
    requestTimeoutS: seconds("request_timeout", 3_600, 30),
  };
}

export const queueLogOptions: OptionsOf<QueueLogConfig> = {
  level: { ...oneOf("level", logLevels, "INFO"), fallback: undefined },
};

const priorityNumbers = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const;

/** One key for each priority: the aliases that have it. */
export const priorityOptions: readonly Option<readonly string[]>[] = priorityNumbers.map((priority) => ({
  key: String(priority),
  schema: z.pipe(
    z.string().check(z.refine((value) => parseAliases(value) !== undefined)),
    z.transform((value) => parseAliases(value) ?? []),
  ),
  fallback: [],
  expected:
    "names of aliases separated by spaces, '*' at the end of a name for any that begins so, other characters percent-encoded",
}));

function parseAliases(value: string): readonly string[] | undefined {
  try {
    return value
      .split(/[\s,]+/)
      .filter((name) => name !== "")
      .map((name) => decodeURIComponent(name));
  } catch {
    return undefined;
  }
}
