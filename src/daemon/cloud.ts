import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type CikStore,
  type Config,
  ConfigError,
  ConfigStore,
  engineBuiltAtMs,
  type Paths,
  type ProductIdentity,
  requireProduct,
} from "../config/index.ts";
import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { Redact } from "../core/redact.ts";
import {
  type ClientCertificate,
  type DeviceApi,
  DeviceClient,
  type DeviceClientOptions,
} from "../device-client/index.ts";
import {
  type CheckInDependencies,
  CheckInLoop,
  type CheckInResult,
  CommandIntake,
  Credentials,
  checkIn,
  ReportComposer,
  ReportDelivery,
  reactivatingApi,
  takeCommand,
  watchForCommands,
} from "../engine/index.ts";
import { installationPath } from "../platform/installation-path.ts";
import type { QueueHealth, ReportedTime } from "../telemetry/index.ts";
import type { ClockKeeper } from "./clock-keeper.ts";
import { configIo } from "./config-io.ts";
import { DeviceFactsSource } from "./device-facts-source.ts";
import { DiskWritesSource } from "./disk-writes-source.ts";
import type { EngineSettings } from "./engine-settings.ts";
import { heldDownloads } from "./held-downloads.ts";
import type { Hosting } from "./hosting.ts";
import type { GatewayDevice } from "./queue-links.ts";
import { reportSources } from "./report-sources.ts";
import { GatewaySerial } from "./serial.ts";
import { SystemTime } from "./system-time.ts";
import { inquireTime } from "./time-inquiry.ts";
import { TrafficBudgets } from "./traffic-budgets.ts";
import { UsageSource } from "./usage-source.ts";

export interface CloudOptions {
  readonly paths: Paths;
  readonly config: Config;
  readonly ciks: CikStore;
  readonly hosting: Hosting;
  readonly keeper: ClockKeeper;
  /** Is told of check-ins. */
  readonly settings: EngineSettings | undefined;
  /** After every attempt to speak to Murano, and every attempt is some work done. */
  readonly onAttempted: () => void;
  /** Undefined where there is no queue. */
  readonly queueHealth: () => QueueHealth | undefined;
  readonly redact: Redact;
  readonly logger: Logger;
}

/** How often a run with `once` checks in at most to tell results. */
const maxResultRounds = 20;
const firstLookMs = 15_000;
const longPollTimeoutMs = 300_000;
/** So long a run with `once` waits for the true time. */
const timeWaitMs = 30_000;

/** What speaks to Murano: the device client, the credentials, and the check-in loop. */
export class Cloud {
  readonly product: ProductIdentity;
  readonly serial: GatewaySerial;
  readonly credentials: Credentials;
  /** Heals its own authorisation. */
  readonly api: DeviceApi;
  readonly loop: CheckInLoop;
  /** Of all that speaks to Murano; the queue's clients count here too. */
  readonly usage: UsageSource;
  private readonly client: DeviceClient;
  private readonly certificate: ClientCertificate | undefined;
  private readonly options: CloudOptions;
  private readonly checkInDependencies: CheckInDependencies;
  private readonly composer: ReportComposer;
  private readonly deviceFacts: DeviceFactsSource;
  private readonly systemTime: SystemTime;
  readonly diskWrites: DiskWritesSource;

  /** @throws ConfigError when the gateway does not know its product or cannot know its serial number */
  constructor(options: CloudOptions) {
    const { paths, config, ciks, hosting, keeper } = options;
    const logger = options.logger.child({ part: "cloud" });
    this.options = { ...options, logger };
    this.product = requireProduct(config);
    this.serial = new GatewaySerial({ paths, config, clock: keeper.clock, logger });
    const { vendor, model, serverUrl } = this.product;
    const counts = { facts: hosting.facts, clock: keeper.clock, keeper, logger };
    this.usage = new UsageSource({
      ...counts,
      budgets: new TrafficBudgets({ ...counts, budgets: config.budgets }),
    });
    const certificate = clientCertificate(config);
    this.certificate = certificate;
    this.client = new DeviceClient({
      baseUrl: serverUrl,
      vendor,
      model,
      cik: () => this.credentials.current(),
      clientCertificate: certificate,
      ca: this.ca,
      userAgent: config.engine.userAgent,
      consumer: "gwe",
      audit: this.usage.audit,
      ...this.clockOptions,
    });
    this.credentials = new Credentials({
      storage: ciks,
      api: this.client,
      request: () => ({ vendor, model, sn: this.serial.current() ?? "" }),
      hasCertificate: certificate !== undefined,
      logger,
    });
    this.api = reactivatingApi(this.client, this.credentials, logger);
    this.systemTime = new SystemTime({ keeper, cwd: paths.libDir, clock: keeper.clock });
    this.deviceFacts = new DeviceFactsSource({
      nodeFile: process.execPath,
      programFile: join(installationPath(), "dist/machine-facts.js"),
      cwd: paths.libDir,
      time: async () => ({ ...(await this.systemTime.recent()), ...reportedTrust(keeper) }),
      clock: keeper.clock,
      logger,
    });
    this.diskWrites = new DiskWritesSource(counts);
    this.composer = this.createComposer();
    this.checkInDependencies = {
      api: this.api,
      delivery: new ReportDelivery({
        api: this.api,
        outbox: hosting.outbox,
        composer: this.composer,
        logger,
      }),
      outbox: hosting.outbox,
      intake: this.createIntake(),
      intervals: {
        apply: (seconds) => this.loop.changeInterval(seconds),
        persist: (seconds) => this.persistUpdateInterval(seconds),
      },
      logger,
    };
    this.loop = this.createLoop();
    options.settings?.askTrouble(() => this.loop.status().lastError);
  }

  /** Checks in until `stop` aborts. */
  async run(stop: AbortSignal): Promise<void> {
    const { config, hosting, keeper } = this.options;
    try {
      await this.serial.wait(stop);
    } catch (error) {
      if (stop.aborted) return;
      throw error;
    }
    const stopListening = hosting.ota.onFinished(() => this.loop.hasten());
    void this.deviceFacts.learn(stop);
    const inquiry = this.learnTime(stop);
    void this.usage.watch(stop);
    const stopHastening = this.usage.onChanged(({ isLevelNew }) => {
      if (isLevelNew) this.loop.hasten();
    });
    // So that the first report tells true states; yet a pm2 that hangs must not keep the gateway from checking in.
    await Promise.race([hosting.firstLook(), keeper.clock.sleep(firstLookMs, stop).catch(() => undefined)]);
    const watching =
      config.engine.checkIn === "long-poll"
        ? watchForCommands(
            {
              api: this.client,
              checkedInUntilMs: () => this.loop.serverTimeOfLastCheckInMs(),
              onCommand: () => this.loop.commandArrived(),
              onUnauthorized: () => this.loop.hasten(),
              clock: keeper.clock,
              random: Math.random,
              logger: this.options.logger,
              timeoutMs: longPollTimeoutMs,
            },
            stop,
          )
        : undefined;
    await this.loop.run(stop);
    await watching;
    await inquiry;
    stopListening();
    stopHastening();
  }

  /** One check-in, the jobs that it brought, and their results told. @returns the exit status */
  async runOnce(stop: AbortSignal): Promise<number> {
    const { hosting, keeper, logger } = this.options;
    this.serial.require();
    await hosting.firstLook();
    // With a clock that is plainly wrong no certificate counts as valid.
    if (keeper.isPlainlyWrong) await this.learnTime(AbortSignal.any([stop, AbortSignal.timeout(timeWaitMs)]));
    try {
      if (!this.credentials.areReady()) await this.credentials.activate();
      for (let round = 0; round < maxResultRounds; round++) {
        await this.checkIn(stop);
        await hosting.ota.idle();
        if (hosting.outbox.waitingResults() === 0 && !this.composer.isAsked) return 0;
        await keeper.clock.sleep(1_000, stop);
      }
      logger.warn("results still wait to be told", { waiting: hosting.outbox.waitingResults() });
      return 1;
    } catch (error) {
      logger.error("check-in failed", { reason: describeError(error) });
      return 1;
    }
  }

  /** For apps that write as the gateway itself, by way of the queue. */
  gatewayDevice(): GatewayDevice {
    const { ciks, logger } = this.options;
    const { vendor, model } = this.product;
    const session = this.client.as({
      vendor,
      model,
      cik: () => this.credentials.current(),
      clientCertificate: this.certificate,
      consumer: "gmq",
    });
    return {
      api: reactivatingApi(session, this.credentials, logger),
      credentials: this.credentials,
      vms: () => {
        const sn = this.serial.current();
        return sn === undefined ? undefined : { vendor, model, sn };
      },
      owns: (cik) => ciks.knownSecrets().includes(cik),
    };
  }

  /** For every device client. */
  get clockOptions(): Pick<DeviceClientOptions, "certificateTime" | "serverClock"> {
    const { certificateTimeMs, serverClock } = this.options.keeper;
    return { certificateTime: certificateTimeMs, serverClock };
  }

  /** Packages, as traffic budgets let them through. */
  get content(): Pick<DeviceApi, "contentInfo" | "download"> {
    return heldDownloads(this.api, this.usage);
  }

  /** Certificates of the servers, where they are not the system's. */
  get ca(): string | undefined {
    const { caFile } = this.options.config.device;
    return caFile === undefined ? undefined : readPem(caFile);
  }

  close(): void {
    this.client.close();
    this.usage.stop();
    this.diskWrites.stop();
  }

  private async checkIn(signal: AbortSignal): Promise<CheckInResult> {
    const result = await checkIn(this.checkInDependencies, { signal });
    this.options.settings?.noteCheckIn();
    return result;
  }

  private async learnTime(stop: AbortSignal): Promise<void> {
    const { keeper, logger } = this.options;
    const wasLost = keeper.isPlainlyWrong && !keeper.isTrusted;
    const asking = inquireTime(
      {
        keeper,
        system: this.systemTime,
        client: this.client,
        builtAtMs: engineBuiltAtMs,
        clock: keeper.clock,
        random: Math.random,
        logger,
      },
      stop,
    );
    try {
      await asking;
    } catch (error) {
      logger.error("nobody is asked for the time any more", { error: describeError(error) });
    }
    // What failed for the certificates' dates need not wait for its backoff.
    if (wasLost && !stop.aborted) this.loop.checkInNow();
  }

  private createLoop(): CheckInLoop {
    const { config, hosting, keeper, logger } = this.options;
    return new CheckInLoop({
      credentials: this.credentials,
      checkIn: (signal) => this.checkIn(signal),
      takeCommand: (signal) => takeCommand(this.checkInDependencies, { signal }),
      resultsWaiting: () => hosting.outbox.waitingResults() > 0,
      onAttempted: this.options.onAttempted,
      clock: keeper.clock,
      random: Math.random,
      logger,
      updateIntervalS: config.engine.updateIntervalS,
      activationRetryIntervalS: config.device.activationRetryIntervalS,
    });
  }

  private createIntake(): CommandIntake {
    const { hosting, logger } = this.options;
    return new CommandIntake({
      api: this.api,
      history: this.client,
      sink: {
        accept: (command) => {
          const outcome = hosting.ota.accept(command);
          if (outcome.reportWanted) {
            this.composer.askForAll();
            this.loop.hasten();
          }
          return outcome;
        },
        acknowledgeCleared: (key) => hosting.ota.acknowledgeCleared(key),
        acknowledgeEmpty: () => hosting.ota.acknowledgeEmpty(),
      },
      facts: hosting.facts,
      hash: (text) => createHash("sha256").update(text).digest("hex"),
      logger,
    });
  }

  private createComposer(): ReportComposer {
    const { hosting, keeper, queueHealth, redact, logger } = this.options;
    return new ReportComposer({
      sources: reportSources({
        hosting,
        usage: this.usage,
        diskWrites: this.diskWrites,
        redact,
        deviceFacts: this.deviceFacts,
        loop: () => this.loop,
        queue: queueHealth,
        saveTime: () => {
          const known = keeper.known();
          if (known !== undefined) hosting.facts.setKnownTime(known);
        },
      }),
      outbox: hosting.outbox,
      facts: hosting.facts,
      clock: keeper.clock,
      logger,
    });
  }

  private persistUpdateInterval(seconds: number): void {
    const store = new ConfigStore({ paths: this.options.paths, io: configIo });
    store.set([{ section: "engine", key: "update_interval", value: String(seconds) }]);
  }
}

function reportedTrust(keeper: ClockKeeper): Pick<ReportedTime, "trustedBy" | "wallErrorMs"> {
  const { trustedBy, wallErrorMs } = keeper.status();
  return { trustedBy: trustedBy ?? null, wallErrorMs: wallErrorMs ?? null };
}

function clientCertificate({ device }: Config): ClientCertificate | undefined {
  if (device.certFile === undefined || device.keyFile === undefined) return undefined;
  return { cert: readPem(device.certFile), key: readPem(device.keyFile) };
}

function readPem(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new ConfigError([{ file, expected: `cannot be read: ${describeError(cause)}` }], cause);
  }
}
