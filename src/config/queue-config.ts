import type { Paths } from "../core/paths.ts";
import { ConfigError, type ConfigFault } from "./errors.ts";
import type { Option } from "./option.ts";
import {
  httpOptions,
  priorityOptions,
  queueLogOptions,
  storeOptions,
  uploadOptions,
} from "./queue-options.ts";
import type { HttpConfig, QueueConfig, QueueLogConfig, StoreConfig, UploadConfig } from "./queue-types.ts";
import { openSections, type SectionReader } from "./section-reader.ts";

type QueuePaths = Pick<Paths, "home" | "gmqCfg" | "loggingCfg">;

/** The port of the spec (gmq.md); engines under `GWE_HOME` share a machine, so each takes one that is free. */
function defaultQueuePort({ home }: Pick<Paths, "home">): number {
  return home === null ? 8090 : 0;
}

/**
 * Reads `gmq.cfg`. A missing file, missing keys and empty values give the defaults; unknown keys are nobody's fault.
 *
 * @throws ConfigError naming everything that is wrong at once
 * @throws ConfigAccessError when this user may not read the file
 */
export function loadQueueConfig(paths: QueuePaths): QueueConfig {
  const faults: ConfigFault[] = [];
  const sections = openSections(paths.gmqCfg, faults);
  const config = {
    unq: Object.freeze(sections("unq").readAll<UploadConfig>(uploadOptions)),
    db: Object.freeze(sections("db").readAll<StoreConfig>(storeOptions)),
    http: Object.freeze(sections("http").readAll<HttpConfig>(httpOptions(defaultQueuePort(paths)))),
    priorities: readPriorities(sections("priorities")),
  };
  if (faults.length > 0) throw new ConfigError(faults);
  return Object.freeze(config);
}

function readPriorities(section: SectionReader): ReadonlyMap<string, number> {
  return new Map(
    priorityOptions.flatMap((option) =>
      section.read(option).map((alias) => [alias, Number(option.key)] as const),
    ),
  );
}

/** Reads `logging.cfg`, likewise. */
export function loadQueueLogConfig(paths: QueuePaths): QueueLogConfig {
  const faults: ConfigFault[] = [];
  const sections = openSections(paths.loggingCfg, faults);
  const config = sections("logging").readAll<QueueLogConfig>(queueLogOptions);
  if (faults.length > 0) throw new ConfigError(faults);
  return Object.freeze(config);
}

/** The two files of the queue: section → its options, in the order in which they are shown. */
export function queueFileOptions(
  paths: Pick<Paths, "home">,
): Readonly<Record<QueueFile, Readonly<Record<string, readonly Option<unknown>[]>>>> {
  return {
    gmqCfg: {
      unq: Object.values<Option<unknown>>(uploadOptions),
      db: Object.values<Option<unknown>>(storeOptions),
      http: Object.values<Option<unknown>>(httpOptions(defaultQueuePort(paths))),
      priorities: priorityOptions,
    },
    loggingCfg: { logging: Object.values<Option<unknown>>(queueLogOptions) },
  };
}

export type QueueFile = "gmqCfg" | "loggingCfg";
