import { join } from "node:path";
import { type LogFields, type Logger, silentLogger } from "../../../src/core/logger.ts";
import { openDatabase } from "../../../src/platform/sqlite.ts";
import { systemClock } from "../../../src/platform/system-clock.ts";
import { QueueStore, queueAfterSalvage, queueMigrations } from "../../../src/queue/index.ts";
import type { LimitSet } from "../../../src/queue/types.ts";
import { plentifulSpace } from "../../support/queue-space.ts";
import { rightTime } from "../../support/true-time.ts";
import { Violation } from "../errors.ts";

const unlimited: LimitSet = { maxBytes: 2 ** 40, maxEntries: 2 ** 40, maxAgeMs: undefined };

export interface StoreOptions {
  readonly directory: string;
  /** Every power cut ends a boot. */
  readonly bootId: string;
  readonly synchronous: "FULL" | "NORMAL";
}

/** The queue's store as the daemon opens it, but for one thing: a database that comes up damaged is a violation. */
export function openStore({ directory, bootId, synchronous }: StoreOptions): QueueStore {
  const file = join(directory, "lib/queue.db");
  const store = new QueueStore({
    file: {
      open: () => {
        const opened = openDatabase({
          file,
          migrations: queueMigrations,
          afterSalvage: queueAfterSalvage,
          incrementalVacuum: true,
          logger: silentLogger,
          now: Date.now,
        });
        opened.db.pragma(`synchronous = ${synchronous}`);
        // Started over often, the log is also overwritten often: what months bring, within seconds.
        opened.db.pragma("wal_autocheckpoint = 50");
        return opened;
      },
      isDiskFull: () => false,
      reserve: plentifulSpace,
    },
    limits: {
      ...unlimited,
      perIdentity: unlimited,
      whenFull: "reject",
      priorities: new Map([["pressure", 2]]),
      maxIdentities: 100,
      maxDeadLetters: 1_000_000,
      maxDeadBytes: 2 ** 40,
    },
    rememberedBlocks: 65_536,
    clock: systemClock,
    time: rightTime(bootId, systemClock),
    logger: complaining,
    onReplaced: (replaced) => {
      throw new Violation(`the database came up damaged: ${JSON.stringify(replaced)}`);
    },
  });
  store.start();
  return store;
}

/** An error that the store only logs is one as well. */
const complaining: Logger = {
  ...silentLogger,
  error: (message: string, fields?: LogFields) => {
    throw new Violation(`${message}: ${JSON.stringify(fields)}`);
  },
};
