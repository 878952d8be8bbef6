import { existsSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { silentLogger } from "../../src/core/logger.ts";
import { openDatabase, type Replacement } from "../../src/platform/sqlite.ts";
import { isDiskFull } from "../../src/platform/sqlite-errors.ts";
import {
  type AppendRequest,
  type Caller,
  type QueueLimits,
  QueueStore,
  queueAfterSalvage,
  queueMigrations,
  type SpaceReserve,
  type TrueTime,
} from "../../src/queue/index.ts";
import { FakeClock } from "./fake-clock.ts";
import { plentifulSpace } from "./queue-space.ts";
import { temporaryDirectory } from "./temp-directory.ts";
import { rightTime } from "./true-time.ts";

/** In memory where there is such a place: thousands of syncs would make a disk the measure of a test. */
export function fastDirectory(): string {
  return temporaryDirectory(existsSync("/dev/shm") ? "/dev/shm" : undefined);
}

const unlimited = {
  maxBytes: Number.POSITIVE_INFINITY,
  maxEntries: Number.POSITIVE_INFINITY,
  maxAgeMs: undefined,
};

export const noLimits: QueueLimits = {
  ...unlimited,
  perIdentity: unlimited,
  whenFull: "reject",
  priorities: new Map(),
  maxIdentities: 100,
  maxDeadLetters: 1_000,
  maxDeadBytes: 1_000_000,
};

export interface QueueStoreSetUp {
  readonly directory?: string;
  readonly limits?: Partial<QueueLimits>;
  readonly rememberedBlocks?: number;
  readonly bootId?: string;
  /** In place of a clock that is known to be right. */
  readonly time?: TrueTime;
  readonly clock?: FakeClock;
  /** In place of a disk that never fills up. */
  readonly reserve?: (directory: string) => SpaceReserve;
  /** In place of the real opening. */
  readonly wrap?: (open: () => ReturnType<typeof openDatabase>) => ReturnType<typeof openDatabase>;
}

/** A started store on a real SQLite file. Closing it twice does no harm. */
export function openQueueStore(setUp: QueueStoreSetUp = {}): {
  store: QueueStore;
  clock: FakeClock;
  file: string;
  replaced: Replacement[];
} {
  const directory = setUp.directory ?? fastDirectory();
  const clock = setUp.clock ?? new FakeClock();
  const file = join(directory, "queue.db");
  const replaced: Replacement[] = [];
  const wrap = setUp.wrap ?? ((open) => open());
  const store = new QueueStore({
    file: {
      open: (onCorruption) =>
        wrap(() =>
          openDatabase({
            file,
            migrations: queueMigrations,
            afterSalvage: queueAfterSalvage,
            incrementalVacuum: true,
            logger: silentLogger,
            now: () => 1_000,
            onCorruption,
          }),
        ),
      isDiskFull,
      reserve: setUp.reserve?.(directory) ?? plentifulSpace,
    },
    limits: { ...noLimits, ...setUp.limits },
    rememberedBlocks: setUp.rememberedBlocks ?? 1_000,
    clock,
    time: setUp.time ?? rightTime(setUp.bootId ?? "boot-1", clock),
    logger: silentLogger,
    onReplaced: (one) => replaced.push(one),
  });
  store.start();
  onTestFinished(() => store.stop());
  return { store, clock, file, replaced };
}

function device(sn: string): Caller {
  return { kind: "vms", vendor: "v", model: "m", sn };
}

/** Points of one alias, a second apart from `second` on. */
export function record(sn: string, alias: string, second: number, values: readonly string[]): AppendRequest {
  const times = values.map((_, index) => (second + index) * 1_000);
  return { caller: device(sn), lane: "backlog", stampedBy: "app", series: [{ alias, times, values }] };
}

export function write(sn: string, alias: string, timeMs: number, value: string): AppendRequest {
  const series = [{ alias, times: [timeMs], values: [value] }];
  return { caller: device(sn), lane: "live", stampedBy: "queue", series };
}

export const all = { maxEntries: 10_000, maxBytes: 10_000_000 };
