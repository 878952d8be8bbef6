/** A day of a queue on a bad link: the real store, forwarder and device client, over a clock that jumps. */
import { join } from "node:path";
import type { Random } from "../../src/core/clock.ts";
import { type Logger, silentLogger } from "../../src/core/logger.ts";
import { type DeviceApi, DeviceClient } from "../../src/device-client/index.ts";
import { Credentials, reactivatingApi } from "../../src/engine/index.ts";
import { openDatabase } from "../../src/platform/sqlite.ts";
import {
  type Caller,
  type DeviceLinks,
  Forwarder,
  QueueStore,
  queueMigrations,
} from "../../src/queue/index.ts";
import type { TestEmulator } from "../support/emulator.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { plentifulSpace } from "../support/queue-space.ts";
import { rightTime } from "../support/true-time.ts";
import { BadLink, type LinkMode, linkModes } from "./bad-link.ts";
import { type Phase, planDay, type Trouble } from "./day.ts";
import { Ledger, type Verdict } from "./ledger.ts";
import { nextWrite, type Write, writersOf } from "./writers.ts";

const product = "network-test";
const unlimited = { maxBytes: Infinity, maxEntries: Infinity, maxAgeMs: undefined };
/** At the scale of this program 15 s are 200 ms: waiting for a dead connection takes real time. */
const timeoutMs = 200;
/** A day of silence after the last write is more than any backoff lasts. */
const longestSettlingMs = 24 * 3_600_000;

export interface SimulationOptions {
  readonly emulator: TestEmulator;
  readonly directory: string;
  readonly lengthMs: number;
  readonly random: Random;
  /** Takes every lost answer for a success, as a careless client would: the check must notice. */
  readonly careless: boolean;
  readonly onPhase: (phase: Phase) => void;
}

export interface SimulationResult {
  readonly verdict: Verdict;
  readonly phases: readonly Phase[];
  /** Requests to Murano by result. */
  readonly requests: ReadonlyMap<string, number>;
}

export class Simulation {
  private readonly options: SimulationOptions;
  private readonly clock: FakeClock;
  private readonly link: BadLink;
  private readonly ledger = new Ledger();
  private client: DeviceClient | undefined;
  private underWay = 0;

  constructor(options: SimulationOptions) {
    this.options = options;
    // In the past, so that the emulator takes every record for one that may become the latest value.
    this.clock = new FakeClock(Math.floor(Date.now() / 1000) * 1000 - 2 * options.lengthMs - 3_600_000);
    this.link = new BadLink({ targetUrl: options.emulator.url, random: options.random });
  }

  async run(): Promise<SimulationResult> {
    const { emulator, lengthMs, random } = this.options;
    await this.link.start();
    this.client = new DeviceClient({
      baseUrl: this.link.url,
      ca: this.link.ca,
      connectTimeoutMs: timeoutMs,
      idleTimeoutMs: timeoutMs,
      proxyEnvironment: {},
    });
    const store = this.openStore();
    store.start();
    const forwarder = this.forwarderOf(store);
    forwarder.start();
    try {
      const { cik } = await emulator.addActivated(product, "by-cik");
      for (const sn of vmsSerials) await emulator.addSerial(product, sn);
      const phases = planDay(lengthMs, random);
      const writers = writersOf({
        vms: vmsSerials.map((sn) => ({ vendor: product, model: product, sn })),
        cik,
      });
      await this.live(store, phases, writers);
      await this.settle(store, forwarder);
      const letters = store.dead.list({ limit: 1_000_000 });
      const dead = new Set(
        letters.map(({ identityId, value }) => {
          const { vms } = store.identities.get(identityId) ?? {};
          return `${vms?.sn ?? "by-cik"}/${value}`;
        }),
      );
      const verdict = await this.ledger.check(
        (sn, alias) => emulator.device(product, sn).history(alias),
        dead,
      );
      return { verdict, phases, requests: forwarder.stats().requests };
    } finally {
      await forwarder.stop();
      await store.stop();
      this.client.close();
      await this.link.stop();
    }
  }

  private openStore(): QueueStore {
    const { directory } = this.options;
    return new QueueStore({
      file: {
        open: () =>
          openDatabase({
            file: join(directory, "queue.db"),
            migrations: queueMigrations,
            logger: silentLogger,
            now: () => this.clock.now(),
          }),
        isDiskFull: () => false,
        reserve: plentifulSpace,
      },
      limits: {
        ...unlimited,
        perIdentity: unlimited,
        whenFull: "reject",
        priorities: new Map(),
        maxIdentities: 10,
        maxDeadLetters: 1_000_000,
        maxDeadBytes: 1_000_000_000,
      },
      rememberedBlocks: 65_536,
      clock: this.clock,
      time: rightTime("simulated", this.clock),
      logger: silentLogger,
      onReplaced: () => undefined,
    });
  }

  private forwarderOf(store: QueueStore): Forwarder {
    return new Forwarder({
      outlet: store,
      identities: store.identities,
      links: this.links(),
      settings: {
        batchRecordPeriodMs: 10_000,
        batchEntries: 1_000,
        batchBytes: 524_288,
        parallelUploads: 4,
        activationRetryMs: 300_000,
      },
      clock: this.clock,
      random: this.options.random,
      logger: silentLogger,
    });
  }

  private links(): DeviceLinks {
    return {
      open: ({ vms, storage }) => {
        const client = this.client as DeviceClient;
        if (vms === undefined) {
          return { api: this.counted(client.as({ cik: () => storage.current() })), activation: undefined };
        }
        const session = client.as({ cik: () => credentials.current() });
        const credentials: Credentials = new Credentials({
          storage,
          api: session,
          request: () => vms,
          hasCertificate: false,
          logger: silentLogger as Logger,
        });
        return {
          api: this.counted(reactivatingApi(session, credentials, silentLogger)),
          activation: credentials,
        };
      },
    };
  }

  /** Time stands still while a request is under way. */
  private counted(api: DeviceApi): Pick<DeviceApi, "record" | "read"> {
    const counting = async <T>(call: () => Promise<T>): Promise<T> => {
      this.underWay += 1;
      try {
        return await call();
      } finally {
        this.underWay -= 1;
      }
    };
    const { careless } = this.options;
    return {
      read: (aliases, options) => counting(() => api.read(aliases, options)),
      record: (series, options) =>
        counting(async () => {
          try {
            return await api.record(series, options);
          } catch (error) {
            if (careless) return { serverTimeMs: undefined };
            throw error;
          }
        }),
    };
  }

  /** Resolves when nothing moves any more until the clock does. */
  private async quiet(): Promise<void> {
    for (let idle = 0; idle < 6; ) {
      await new Promise((resolve) => setImmediate(resolve));
      idle = this.underWay === 0 ? idle + 1 : 0;
    }
  }

  private async live(
    store: QueueStore,
    phases: readonly Phase[],
    writers: ReturnType<typeof writersOf>,
  ): Promise<void> {
    const { lengthMs, random } = this.options;
    const changes = [...phases];
    const start = this.clock.now();
    for (let write = nextWrite(writers, random); write.atMs < lengthMs; write = nextWrite(writers, random)) {
      while (changes[0] !== undefined && changes[0].startMs <= write.atMs) {
        const [phase] = changes.splice(0, 1);
        if (phase === undefined) break;
        await this.passUntil(phase.startMs);
        await this.enter(phase);
      }
      await this.passUntil(write.atMs);
      await this.accept(store, write, start + write.atMs);
    }
    await this.passUntil(lengthMs);
    await this.enter({ startMs: lengthMs, endMs: lengthMs, trouble: "none" });
  }

  private async accept(store: QueueStore, write: Write, nowMs: number): Promise<void> {
    const { caller, device, alias, lane, points } = write;
    const times = points.map(({ offsetMs }) => nowMs + offsetMs);
    await store.append({
      caller: caller as Caller,
      lane,
      stampedBy: lane === "live" ? "queue" : "app",
      series: [{ alias, times, values: points.map(({ value }) => value) }],
    });
    for (const [index, { value }] of points.entries()) {
      this.ledger.note(device, alias, { value, timeMs: times[index] ?? nowMs });
    }
  }

  /** Lets time pass, from one thing that is due to the next. */
  private async passUntil(targetMs: number): Promise<void> {
    for (;;) {
      await this.quiet();
      const now = this.clock.monotonic();
      if (now >= targetMs) return;
      const due = this.clock.nextDueMs ?? Infinity;
      await this.clock.advance(Math.max(0, Math.min(due, targetMs) - now));
    }
  }

  /** After the day nothing is wrong any more: what waits must go, and does so within a simulated day. */
  private async settle(store: QueueStore, forwarder: Forwarder): Promise<void> {
    forwarder.drain();
    const deadline = this.clock.monotonic() + longestSettlingMs;
    while (store.status().entries > 0 && this.clock.monotonic() < deadline) {
      await this.passUntil(this.clock.monotonic() + 1_000);
    }
  }

  private async enter(phase: Phase): Promise<void> {
    const { emulator, onPhase } = this.options;
    onPhase(phase);
    emulator.clearFaults();
    await this.closeActivation(phase.trouble === "closed-activation");
    await this.link.become(linkModeOf(phase.trouble));
    switch (phase.trouble) {
      case "server-error":
        emulator.addFault({ status: 503, probability: 0.9 });
        return;
      case "rate-limited":
        emulator.addFault({ status: 429, headers: { "Retry-After": "30" }, probability: 0.5 });
        return;
      case "lost-answers":
        emulator.addFault({ drop: "after", probability: 0.5 });
        return;
      case "void-ciks":
        for (const sn of vmsSerials) await emulator.device(product, sn).enable();
        return;
      default:
    }
  }

  private isActivationClosed = false;

  private async closeActivation(isClosed: boolean): Promise<void> {
    const { emulator } = this.options;
    if (isClosed) for (const sn of vmsSerials) await emulator.device(product, sn).disable();
    else if (this.isActivationClosed)
      for (const sn of vmsSerials) await emulator.device(product, sn).enable();
    this.isActivationClosed = isClosed;
  }
}

const vmsSerials = ["meter", "pump"];

function linkModeOf(trouble: Trouble | "none"): LinkMode {
  return linkModes.find((mode) => mode === trouble) ?? "ok";
}
