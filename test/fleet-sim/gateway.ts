import { createHash } from "node:crypto";
import type { AppStatus } from "../../src/core/app-status.ts";
import type { Clock, Random } from "../../src/core/clock.ts";
import { silentLogger } from "../../src/core/logger.ts";
import { type Audit, type DeviceApi, DeviceClient } from "../../src/device-client/index.ts";
import {
  CheckInLoop,
  CommandIntake,
  Credentials,
  checkIn,
  ReportComposer,
  ReportDelivery,
  reactivatingApi,
  takeCommand,
  watchForCommands,
} from "../../src/engine/index.ts";
import { engineReport } from "../../src/telemetry/index.ts";
import { type ObservedCall, observedLink } from "./link.ts";
import { MemoryFacts, MemoryOutbox } from "./memory-disk.ts";
import { PretendedApps } from "./pretended-apps.ts";

export interface GatewayParts {
  readonly url: string;
  readonly product: string;
  readonly sn: string;
  readonly intervalS: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Told of every exchange on the wire, */
  readonly audit: Audit;
  /** and of every call as the engine sees it. */
  readonly observe: (call: ObservedCall) => void;
  /** Whether it holds a long poll for commands, beside its check-ins. */
  readonly longPoll: boolean;
  /** Chance that an installation fails. */
  readonly failing: number;
  readonly installMs: number;
  /** Share of its time that the gateway is cut off from the network. */
  readonly cutOff: number;
}

const cutOffMs = 45_000;
/** As the engine does it. */
const longPollMs = 300_000;
const deviceInfo = JSON.stringify({
  uname: "Linux gateway 6.1.0-18-arm64 #1 SMP Debian 6.1.76-1 aarch64 GNU/Linux",
  df: Array.from({ length: 8 }, (_, line) => `/dev/mmcblk0p${line}  7.1G  2.9G  3.9G  43% /mnt/${line}`).join(
    "\n",
  ),
  free: "       total  used  free  shared  buff/cache  available\nMem:     925   310   122      11        493        572",
  ipaddrs: "lo 127.0.0.1\neth0 10.0.0.17\nwlan0 10.1.0.17",
});

/** A gateway of the real check-in loop, planner and device client; supervisor and disk are pretended. */
export class SimulatedGateway {
  readonly #parts: GatewayParts;
  readonly #client: DeviceClient;
  readonly #link: DeviceApi;
  readonly #loop: CheckInLoop;
  readonly #apps: PretendedApps;
  /** Of its own: adding a listener to a signal goes through all that are there. */
  readonly #stop = new AbortController();
  #cik: string | undefined;
  /** Monotonic milliseconds; until then no request leaves the gateway. */
  #cutOffUntil = 0;

  constructor(parts: GatewayParts) {
    this.#parts = parts;
    const { url, product, sn, clock, random, intervalS } = parts;
    const stop = this.#stop.signal;
    const logger = silentLogger;
    this.#client = new DeviceClient({
      baseUrl: url,
      vendor: product,
      model: product,
      cik: () => credentials.current(),
      audit: parts.audit,
      proxyEnvironment: {},
    });
    const link = observedLink(this.#client, {
      ...parts,
      isCutOff: () => clock.monotonic() < this.#cutOffUntil,
    });
    this.#link = link;
    const credentials = new Credentials({
      storage: {
        current: () => this.#cik,
        replace: (cik) => {
          this.#cik = cik;
        },
      },
      api: link,
      request: () => ({ vendor: product, model: product, sn }),
      hasCertificate: false,
      logger,
    });
    const api = reactivatingApi(link, credentials, logger);
    const outbox = new MemoryOutbox();
    const facts = new MemoryFacts();
    this.#apps = new PretendedApps({ ...parts, api, outbox, stop, onFinished: () => this.#loop.hasten() });
    const composer = new ReportComposer({
      sources: {
        engineReport: async () => this.#engineReport(),
        deviceInfo: async () => ({ text: deviceInfo, digest: "1" }),
        deviceFingerprint: () => "1",
        usageReport: () => ({
          text: '{"eth0":{"top_consumer":"gwe:writeRead","consumers":{}}}',
          digest: "1",
        }),
        saveCounts: () => undefined,
      },
      outbox,
      facts,
      clock,
      logger,
    });
    const dependencies = {
      api,
      delivery: new ReportDelivery({ api, outbox, composer, logger }),
      outbox,
      intake: new CommandIntake({
        api,
        history: link,
        sink: this.#apps,
        facts,
        hash: (text) => createHash("sha256").update(text).digest("hex"),
        logger,
      }),
      intervals: { apply: (seconds: number) => this.#loop.changeInterval(seconds), persist: () => undefined },
      logger,
    };
    this.#loop = new CheckInLoop({
      credentials,
      checkIn: (signal) => checkIn(dependencies, { signal }),
      takeCommand: (signal) => takeCommand(dependencies, { signal }),
      resultsWaiting: () => outbox.waitingResults() > 0,
      clock,
      random,
      logger,
      updateIntervalS: intervalS,
      activationRetryIntervalS: 300,
    });
  }

  get isActivated(): boolean {
    return this.#cik !== undefined;
  }

  /** Starts after `delayMs`, as gateways do that were switched on one after another. */
  async run(delayMs: number): Promise<void> {
    const { clock, cutOff } = this.#parts;
    const stop = this.#stop.signal;
    try {
      await clock.sleep(delayMs, stop);
    } catch {
      return;
    }
    if (cutOff > 0) void this.#loseNetworkNowAndThen();
    await Promise.all([this.#loop.run(stop), this.#parts.longPoll && this.#watch()]);
  }

  stop(): void {
    this.#stop.abort();
    this.#client.close();
  }

  async #watch(): Promise<void> {
    const { clock, random } = this.#parts;
    await watchForCommands(
      {
        api: this.#link,
        checkedInUntilMs: () => this.#loop.serverTimeOfLastCheckInMs(),
        onCommand: () => this.#loop.commandArrived(),
        onUnauthorized: () => this.#loop.hasten(),
        clock,
        random,
        logger: silentLogger,
        timeoutMs: longPollMs,
      },
      this.#stop.signal,
    );
  }

  async #loseNetworkNowAndThen(): Promise<void> {
    const { clock, random, cutOff } = this.#parts;
    const stop = this.#stop.signal;
    const everyMs = cutOffMs / cutOff;
    while (!stop.aborted) {
      try {
        await clock.sleep(everyMs * 2 * random(), stop);
      } catch {
        return;
      }
      this.#cutOffUntil = clock.monotonic() + cutOffMs;
    }
  }

  #engineReport(): string {
    const apps = Array.from(
      this.#apps.versions,
      ([name, version]): AppStatus => ({
        name,
        version,
        kind: "long-running",
        state: "RUNNING",
        restarts: 0,
        pid: 1,
        sinceMs: 0,
        startedAtMs: this.#parts.clock.now() - 3_600_000,
      }),
    );
    return engineReport({
      apps,
      engineVersion: "0.1.0",
      engine: {
        uptimeMs: this.#parts.clock.monotonic(),
        lastCheckInMs: undefined,
        lastFailure: undefined,
        diskWrittenInDayBytes: 1_000_000,
      },
      queue: {
        uptimeMs: this.#parts.clock.monotonic(),
        entries: 0,
        bytes: 0,
        oldestWaitedMs: undefined,
        dropped: 0,
        deadLetters: 0,
      },
      nowMs: this.#parts.clock.now(),
    });
  }
}
