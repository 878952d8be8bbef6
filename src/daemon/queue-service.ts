import { type Config, loadQueueConfig, loadQueueLogConfig, type Paths } from "../config/index.ts";
import type { Logger } from "../core/logger.ts";
import { openBootClock } from "../platform/boot-clock.ts";
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
import { describeReplacement } from "./describe-replacement.ts";
import { type LogLevel, logLevelOf } from "./logging.ts";
import { QueueControl } from "./queue-control.ts";
import { type GatewayDevice, QueueLinks } from "./queue-links.ts";
import { QueueListener } from "./queue-listener.ts";
import { forwarderSettings, httpSettings, queueLimits } from "./queue-settings.ts";

export interface QueueServiceOptions {
  readonly paths: Paths;
  readonly config: Config;
  readonly gateway: GatewayDevice;
  /** PEM text of the authorities that the gateway trusts. */
  readonly ca: string | undefined;
  /** A logger at the level that `logging.cfg` says. */
  readonly loggerAt: (level: () => LogLevel | undefined) => Logger;
  /** For Murano to be told of. */
  readonly reportTrouble: (text: string) => void;
}

/** About 10 MB of taken seconds (docs/queue.md, "Seconds on the wire"). */
const rememberedBlocks = 65_536;

/** The store-and-forward queue in the daemon: the store, the local API, the forwarder, wired. */
export class QueueService {
  readonly control: QueueControl;
  private readonly options: QueueServiceOptions;
  private readonly logger: Logger;
  private readonly store: QueueStore;
  private readonly links: QueueLinks;
  private readonly forwarder: Forwarder;
  private readonly listener: QueueListener;
  private level: LogLevel | undefined;

  /** @throws ConfigError when `gmq.cfg` or `logging.cfg` is not valid */
  constructor(options: QueueServiceOptions) {
    const { paths, config, gateway, ca, loggerAt } = options;
    const queueConfig = loadQueueConfig(paths);
    this.options = options;
    this.level = logLevelOf(loadQueueLogConfig(paths).level);
    this.logger = loggerAt(() => this.level).child({ part: "queue" });
    const { logger } = this;
    this.store = this.openStore(queueLimits(queueConfig));
    this.links = new QueueLinks({ config, ca, gateway, logger });
    this.forwarder = new Forwarder({
      outlet: this.store,
      identities: this.store.identities,
      links: this.links,
      settings: forwarderSettings(queueConfig, config),
      clock: systemClock,
      random: Math.random,
      logger,
    });
    const desk = new ActivationDesk({
      identities: this.store.identities,
      links: this.forwarder.identityLinks,
      clock: systemClock,
      logger,
    });
    this.listener = new QueueListener({
      api: {
        intake: this.store,
        identities: this.store.identities,
        activator: desk,
        readThrough: desk,
        reread: () => this.reread(),
        now: () => systemClock.now(),
        isHealthy: () => this.store.status().isWritable,
        metrics: () => this.metrics(),
        socketPath: paths.queueSocket,
      },
      settings: httpSettings(queueConfig),
      portFile: paths.queuePort,
      clock: systemClock,
      logger,
    });
    this.control = new QueueControl({
      status: () => this.store.status(),
      identities: this.store.identities,
      deadLetters: this.store.dead,
      forwarder: this.forwarder,
      reread: () => this.reread(),
    });
  }

  get isListening(): boolean {
    return this.listener.isListening;
  }

  /** Resolves when apps can write, or when it is known that they cannot yet. */
  async start(): Promise<void> {
    this.store.start();
    this.forwarder.start();
    await this.listener.start();
  }

  /** What was acknowledged is on disk; what is not uploaded stays queued. */
  async stop(): Promise<void> {
    await this.listener.stop();
    await this.forwarder.stop();
    this.links.close();
    await this.store.stop();
  }

  /** Takes up `gmq.cfg` and `logging.cfg`. @throws ConfigError when one is not valid: all stays as it was then */
  private async reread(): Promise<void> {
    const { paths, config } = this.options;
    const queueConfig = loadQueueConfig(paths);
    this.level = logLevelOf(loadQueueLogConfig(paths).level);
    await this.store.changeLimits(queueLimits(queueConfig));
    this.forwarder.configure(forwarderSettings(queueConfig, config));
    this.listener.change(httpSettings(queueConfig));
    this.logger.info("configuration read again");
  }

  private metrics(): string {
    return formatMetrics({
      status: this.store.status(),
      identities: this.store.identities.list(),
      commits: this.store.commitTimes(),
      http: this.listener.stats(),
      uploads: this.forwarder.stats(),
    });
  }

  private openStore(limits: ReturnType<typeof queueLimits>): QueueStore {
    const { paths, reportTrouble } = this.options;
    return new QueueStore({
      file: {
        open: (onCorruption) =>
          openDatabase({
            file: paths.queueDb,
            migrations: queueMigrations,
            afterSalvage: queueAfterSalvage,
            incrementalVacuum: true,
            logger: this.logger,
            now: systemClock.now,
            onCorruption,
          }),
        isDiskFull,
      },
      limits,
      rememberedBlocks,
      clock: systemClock,
      boot: openBootClock(),
      logger: this.logger,
      onReplaced: (replaced) => reportTrouble(describeReplacement("queue's database", replaced)),
    });
  }
}
