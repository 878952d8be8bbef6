/** A queue in front of an emulated Murano: real store, forwarder, device client and HTTP; the clock is the test's. */
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Config } from "../../src/config/index.ts";
import { silentLogger } from "../../src/core/logger.ts";
import { QueueLinks } from "../../src/daemon/queue-links.ts";
import { openDatabase } from "../../src/platform/sqlite.ts";
import { isDiskFull } from "../../src/platform/sqlite-errors.ts";
import {
  ActivationDesk,
  type Caller,
  Forwarder,
  type ForwarderSettings,
  QueueStore,
  queueMigrations,
} from "../../src/queue/index.ts";
import { startTestEmulator, type TestEmulator } from "./emulator.ts";
import { eventually } from "./eventually.ts";
import { FakeClock } from "./fake-clock.ts";
import { plentifulSpace } from "./queue-space.ts";
import { temporaryDirectory } from "./temp-directory.ts";
import { rightTime } from "./true-time.ts";

export const product = "p";
const unlimited = { maxBytes: Infinity, maxEntries: Infinity, maxAgeMs: undefined };

export class QueueScene {
  readonly murano: TestEmulator;
  readonly store: QueueStore;
  readonly forwarder: Forwarder;
  readonly desk: ActivationDesk;
  readonly clock: FakeClock;

  private constructor(murano: TestEmulator, clock: FakeClock, settings: Partial<ForwarderSettings>) {
    this.murano = murano;
    this.clock = clock;
    this.store = openStore(clock);
    const links = new QueueLinks({
      config: configOf(murano.url),
      ca: undefined,
      gateway: noGateway,
      audit: () => undefined,
      clockOptions: {},
      logger: silentLogger,
    });
    this.forwarder = new Forwarder({
      outlet: this.store,
      identities: this.store.identities,
      links,
      settings: {
        batchRecordPeriodMs: 10_000,
        batchEntries: 1_000,
        batchBytes: 524_288,
        parallelUploads: 4,
        activationRetryMs: 300_000,
        ...settings,
      },
      clock,
      random: () => 0,
      logger: silentLogger,
    });
    const { identities } = this.store;
    const { identityLinks } = this.forwarder;
    this.desk = new ActivationDesk({ identities, links: identityLinks, clock, logger: silentLogger });
    onTestFinished(async () => {
      await this.forwarder.stop();
      links.close();
      await this.store.stop();
      await murano.close();
    });
  }

  /** The store is open; the forwarder is not started, so that a test can queue first. */
  static async open(settings: Partial<ForwarderSettings> = {}): Promise<QueueScene> {
    const murano = await startTestEmulator({ historyLimit: 100_000 });
    // In the past: what is recorded may become the latest value.
    const scene = new QueueScene(murano, new FakeClock(Date.now() - 7 * 86_400_000), settings);
    scene.store.start();
    return scene;
  }

  /** A write of an app, at the clock's time. */
  async write(caller: Caller, alias: string, value: string): Promise<void> {
    const series = [{ alias, times: [this.clock.now()], values: [value] }];
    await this.store.append({ caller, lane: "live", stampedBy: "queue", series });
  }

  /** Records at unix seconds. */
  async record(caller: Caller, alias: string, points: readonly (readonly [number, string])[]): Promise<void> {
    const series = [
      { alias, times: points.map(([second]) => second * 1000), values: points.map(([, value]) => value) },
    ];
    await this.store.append({ caller, lane: "backlog", stampedBy: "app", series });
  }

  async waitUntilEmpty(): Promise<void> {
    await eventually("the queue to be empty", () => this.store.status().entries === 0);
  }

  /** Lets time pass until the forwarder has come to rest after so many failures in a row. */
  async failures(identityId: number, count: number): Promise<void> {
    await eventually(`${count} failures`, async () => {
      const status = this.forwarder.statuses().find((one) => one.identityId === identityId);
      if (status === undefined || status.isUploading) return false;
      if (status.failures >= count) return true;
      if (status.retryInMs > 0) await this.clock.advance(status.retryInMs);
      return false;
    });
  }
}

export const vms = (sn: string): Caller => ({ kind: "vms", vendor: product, model: product, sn });

function openStore(clock: FakeClock): QueueStore {
  const file = join(temporaryDirectory(), "queue.db");
  return new QueueStore({
    file: {
      open: () =>
        openDatabase({ file, migrations: queueMigrations, logger: silentLogger, now: () => clock.now() }),
      isDiskFull,
      reserve: plentifulSpace,
    },
    limits: {
      ...unlimited,
      perIdentity: unlimited,
      whenFull: "reject",
      priorities: new Map([["alarm", 9]]),
      maxIdentities: 100,
      maxDeadLetters: 10_000,
      maxDeadBytes: 100_000_000,
    },
    rememberedBlocks: 1_000,
    clock,
    time: rightTime("test", clock),
    logger: silentLogger,
    onReplaced: () => undefined,
  });
}

function configOf(serverUrl: string): Config {
  return { device: { serverUrl, vendor: product }, engine: { userAgent: "test" } } as Config;
}

/** A gateway that no app writes as. */
const noGateway = {
  api: {},
  credentials: {},
  vms: () => undefined,
  owns: () => false,
} as unknown as ConstructorParameters<typeof QueueLinks>[0]["gateway"];
