import { rmSync } from "node:fs";
import {
  type Config,
  loadQueueConfig,
  loadQueueLogConfig,
  type Paths,
  type QueueConfig,
} from "../config/index.ts";
import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { openBootClock } from "../platform/boot-clock.ts";
import { writeFileAtomic } from "../platform/files.ts";
import { openDatabase } from "../platform/sqlite.ts";
import { isDiskFull } from "../platform/sqlite-errors.ts";
import { systemClock } from "../platform/system-clock.ts";
import {
  ActivationDesk,
  ApiServer,
  Forwarder,
  formatMetrics,
  QueueStore,
  queueAfterSalvage,
  queueMigrations,
} from "../queue/index.ts";
import type { Cloud } from "./cloud.ts";
import { describeReplacement } from "./describe-replacement.ts";
import { QueueControl } from "./queue-control.ts";
import { QueueLinks } from "./queue-links.ts";
import { forwarderSettings, httpSettings, queueLimits, rememberedBlocks } from "./queue-settings.ts";

export interface QueueHostOptions {
  readonly paths: Paths;
  readonly config: Config;
  readonly cloud: Cloud;
  readonly logger: Logger;
  /** For Murano to be told. */
  readonly reportTrouble: (text: string) => void;
}

/** Another program may hold the port for a while: the engine goes on without, and tries again. */
const listenAgainMs = 10_000;

/** The store-and-forward queue of a running engine (docs/queue.md). */
export class QueueHost {
  readonly control: QueueControl;
  private readonly options: QueueHostOptions;
  private readonly store: QueueStore;
  private readonly links: QueueLinks;
  private readonly forwarder: Forwarder;
  private readonly api: ApiServer;
  private readonly stopping = new AbortController();
  private listening: Promise<void> = Promise.resolve();
  private startedAtMs: number | undefined;

  /** @throws ConfigError when `gmq.cfg` or `logging.cfg` is not valid */
  constructor(options: QueueHostOptions) {
    const { paths, config, cloud } = options;
    const settings = loadQueueConfig(paths);
    loadQueueLogConfig(paths);
    const logger = options.logger.child({ part: "queue" });
    this.options = { ...options, logger };
    this.store = this.createStore(settings);
    this.links = new QueueLinks({ config, ca: cloud.ca, gateway: cloud.gatewayDevice(), logger });
    this.forwarder = new Forwarder({
      outlet: this.store,
      identities: this.store.identities,
      links: this.links,
      settings: forwarderSettings(settings, config),
      clock: systemClock,
      random: Math.random,
      logger,
    });
    this.api = this.createApi(settings);
    this.control = new QueueControl({
      status: () => this.store.status(),
      identities: this.store.identities,
      deadLetters: this.store.dead,
      forwarder: this.forwarder,
      reread: () => this.reread(),
    });
  }

  /** Milliseconds that apps have been served; undefined while they are not. */
  uptimeMs(): number | undefined {
    return this.startedAtMs === undefined ? undefined : systemClock.monotonic() - this.startedAtMs;
  }

  /** Every CIK that must not get into a log. */
  secrets(): readonly string[] {
    return this.store.identities.list().flatMap(({ cik }) => (cik === undefined ? [] : [cik]));
  }

  start(): void {
    this.store.start();
    this.forwarder.start();
    this.listening = this.listen();
  }

  /** Requests that are being served get their answer; what is queued stays. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.listening;
    rmSync(this.options.paths.queuePort, { force: true });
    try {
      await Promise.all([this.api.stop(), this.forwarder.stop()]);
    } finally {
      this.links.close();
      await this.store.stop();
    }
  }

  private async listen(): Promise<void> {
    const { paths, logger } = this.options;
    for (let isFirst = true; !this.stopping.signal.aborted; isFirst = false) {
      try {
        await this.api.start();
        writeFileAtomic(paths.queuePort, `${this.api.port}\n`, { mode: 0o644 });
        this.startedAtMs = systemClock.monotonic();
        logger.info("the queue serves apps", { port: this.api.port });
        return;
      } catch (error) {
        if (isFirst) {
          logger.error("the queue cannot serve apps yet", { error: describeError(error) });
          this.options.reportTrouble(`the queue cannot serve apps: ${describeError(error)}`);
        }
      }
      await systemClock.sleep(listenAgainMs, this.stopping.signal).catch(() => undefined);
    }
  }

  /** @throws ConfigError, and all stays as it was */
  private async reread(): Promise<void> {
    const { paths, config, logger } = this.options;
    const settings = loadQueueConfig(paths);
    loadQueueLogConfig(paths);
    await this.store.changeLimits(queueLimits(settings));
    this.forwarder.configure(forwarderSettings(settings, config));
    logger.info("configuration read again; what is under [http] needs a restart");
  }

  private createStore(settings: QueueConfig): QueueStore {
    const { paths, logger, reportTrouble } = this.options;
    return new QueueStore({
      file: {
        open: (onCorruption) =>
          openDatabase({
            file: paths.queueDb,
            migrations: queueMigrations,
            afterSalvage: queueAfterSalvage,
            incrementalVacuum: true,
            logger,
            now: systemClock.now,
            onCorruption,
          }),
        isDiskFull,
      },
      limits: queueLimits(settings),
      rememberedBlocks,
      clock: systemClock,
      boot: openBootClock(),
      logger,
      onReplaced: (replaced) => reportTrouble(describeReplacement("queue's database", replaced)),
    });
  }

  private createApi(settings: QueueConfig): ApiServer {
    const { paths, logger } = this.options;
    const { store, forwarder } = this;
    const desk = new ActivationDesk({
      identities: store.identities,
      links: forwarder.identityLinks,
      clock: systemClock,
      logger,
    });
    const api: ApiServer = new ApiServer({
      settings: httpSettings(settings),
      socketPath: paths.queueSocket,
      logger,
      intake: store,
      identities: store.identities,
      activator: desk,
      readThrough: desk,
      reread: () => this.reread(),
      now: systemClock.now,
      isHealthy: () => store.isWritable,
      metrics: () =>
        formatMetrics({
          status: store.status(),
          identities: store.identities.list(),
          commits: store.commitTimes(),
          http: api.stats(),
          uploads: forwarder.stats(),
        }),
    });
    return api;
  }
}
