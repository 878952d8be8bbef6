import {
  type Config,
  loadQueueConfig,
  loadQueueLogConfig,
  type Paths,
  type QueueConfig,
} from "../config/index.ts";
import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { restWhileAlone } from "../platform/http-idle.ts";
import { SpaceReserve } from "../platform/space-reserve.ts";
import { openDatabase } from "../platform/sqlite.ts";
import { isDiskFull } from "../platform/sqlite-errors.ts";
import { systemClock } from "../platform/system-clock.ts";
import {
  ActivationDesk,
  Forwarder,
  formatMetrics,
  QueueStore,
  queueAfterSalvage,
  queueMigrations,
} from "../queue/index.ts";
import type { QueueHealth } from "../telemetry/index.ts";
import type { ClockKeeper } from "./clock-keeper.ts";
import type { Cloud } from "./cloud.ts";
import { describeReplacement } from "./describe-replacement.ts";
import { type LogLevel, logLevelOf } from "./logging.ts";
import { QueueControl } from "./queue-control.ts";
import { QueueLinks } from "./queue-links.ts";
import { QueueListener } from "./queue-listener.ts";
import {
  forwarderSettings,
  httpSettings,
  queueLimits,
  rememberedBlocks,
  reserveBytes,
} from "./queue-settings.ts";

export interface QueueHostOptions {
  readonly paths: Paths;
  readonly config: Config;
  readonly cloud: Cloud;
  readonly keeper: ClockKeeper;
  /** A logger whose level is asked at every line; undefined: the engine's. */
  readonly loggerAt: (level: () => LogLevel | undefined) => Logger;
  /** What `/metrics` tells beside the queue. */
  readonly engineMetrics: () => Promise<string>;
  /** For Murano to be told. */
  readonly reportTrouble: (text: string) => void;
}

/** The store-and-forward queue of a running engine (docs/queue.md). */
export class QueueHost {
  readonly control: QueueControl;
  private readonly options: QueueHostOptions;
  private readonly store: QueueStore;
  private readonly links: QueueLinks;
  private readonly forwarder: Forwarder;
  private readonly listener: QueueListener;
  private readonly logger: Logger;
  private level: LogLevel | undefined;
  private stopWaiting: () => void = () => undefined;
  private stopListening: () => void = () => undefined;

  /** @throws ConfigError when `gmq.cfg` or `logging.cfg` is not valid */
  constructor(options: QueueHostOptions) {
    const { paths, config, cloud, keeper } = options;
    const settings = loadQueueConfig(paths);
    this.level = logLevelOf(loadQueueLogConfig(paths).level);
    const logger = options.loggerAt(() => this.level).child({ part: "queue" });
    this.logger = logger;
    this.options = options;
    this.store = this.createStore(settings);
    this.links = new QueueLinks({
      config,
      ca: cloud.ca,
      gateway: cloud.gatewayDevice(),
      audit: cloud.usage.audit,
      clockOptions: cloud.clockOptions,
      logger,
    });
    this.forwarder = new Forwarder({
      outlet: this.store,
      identities: this.store.identities,
      links: this.links,
      settings: forwarderSettings(settings, config),
      clock: keeper.clock,
      random: Math.random,
      logger,
    });
    this.listener = this.createListener(settings);
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
    return this.listener.uptimeMs();
  }

  /** For `engine_report`. */
  health(): QueueHealth {
    const { entries, bytes, oldestWaitedMs, deadLetters, counts } = this.store.status();
    const { bytes: byBytes, entries: byEntries, age } = counts.dropped;
    const dropped = byBytes + byEntries + age;
    return { uptimeMs: this.uptimeMs(), entries, bytes, oldestWaitedMs, dropped, deadLetters };
  }

  /** Every CIK that must not get into a log. */
  secrets(): readonly string[] {
    return this.store.identities.list().flatMap(({ cik }) => (cik === undefined ? [] : [cik]));
  }

  start(): void {
    const { keeper } = this.options;
    this.store.start();
    const offsetMs = this.store.bootOffsetMs();
    if (offsetMs !== undefined) keeper.adopt(offsetMs);
    this.stopWaiting = keeper.onTrusted(() => void this.timeIsKnown());
    this.forwarder.start();
    this.listener.start();
    const { usage } = this.options.cloud;
    const hold = (): void => this.forwarder.hold(usage.hold);
    this.stopListening = usage.onChanged(hold);
    hold();
  }

  /** Requests that are being served get their answer; what is queued stays. */
  async stop(): Promise<void> {
    this.stopWaiting();
    this.stopListening();
    try {
      await Promise.all([this.listener.stop(), this.forwarder.stop()]);
    } finally {
      this.links.close();
      await this.store.stop();
    }
  }

  private async timeIsKnown(): Promise<void> {
    try {
      await this.store.timeIsKnown();
    } catch (error) {
      // With the next commit, then.
      this.logger.warn("the queue could not keep the time", { reason: describeError(error) });
    }
  }

  /** @throws ConfigError, and all stays as it was */
  private async reread(): Promise<void> {
    const { paths, config } = this.options;
    const settings = loadQueueConfig(paths);
    this.level = logLevelOf(loadQueueLogConfig(paths).level);
    await this.store.changeLimits(queueLimits(settings));
    this.forwarder.configure(forwarderSettings(settings, config));
    this.listener.change(httpSettings(settings));
    this.logger.info("configuration read again");
  }

  private createStore(settings: QueueConfig): QueueStore {
    const { paths, keeper, reportTrouble } = this.options;
    const { logger } = this;
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
        reserve: new SpaceReserve({
          file: paths.queueReserve,
          bytes: reserveBytes,
          clock: systemClock,
          logger,
        }),
      },
      limits: queueLimits(settings),
      rememberedBlocks,
      clock: keeper.clock,
      time: keeper.time,
      logger,
      onReplaced: (replaced) => reportTrouble(describeReplacement("queue's database", replaced)),
    });
  }

  private createListener(settings: QueueConfig): QueueListener {
    const { paths, keeper, reportTrouble } = this.options;
    const { store, forwarder, logger } = this;
    const desk = new ActivationDesk({
      identities: store.identities,
      links: forwarder.identityLinks,
      clock: keeper.clock,
      logger,
    });
    return new QueueListener({
      api: {
        socketPath: paths.queueSocket,
        onCreated: restWhileAlone,
        logger,
        intake: store,
        identities: store.identities,
        activator: desk,
        readThrough: desk,
        reread: () => this.reread(),
        now: () => keeper.time.now().stampMs,
        isHealthy: () => store.isWritable,
        metrics: () => this.metrics(),
      },
      settings: httpSettings(settings),
      portFile: paths.queuePort,
      reportTrouble,
      clock: keeper.clock,
    });
  }

  private async metrics(): Promise<string> {
    const { store, forwarder, listener } = this;
    const queue = formatMetrics({
      status: store.status(),
      identities: store.identities.list(),
      commits: store.commitTimes(),
      http: listener.stats(),
      uploads: forwarder.stats(),
    });
    return queue + (await this.options.engineMetrics());
  }
}
