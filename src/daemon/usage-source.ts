import type { Clock } from "../core/clock.ts";
import { describeError } from "../core/errors.ts";
import type { Hold } from "../core/hold.ts";
import type { Logger } from "../core/logger.ts";
import type { AuditedExchange } from "../device-client/index.ts";
import type { EngineFacts } from "../engine/index.ts";
import { bootId } from "../platform/process-table.ts";
import {
  accumulateCounters,
  accumulateTraffic,
  type BudgetStanding,
  bytesBetween,
  isOfBudget,
  type KernelCounters,
  parseUsageState,
  readCounters,
  type UsageMoment,
  type UsageState,
  usageReport,
} from "../telemetry/index.ts";
import type { ClockKeeper } from "./clock-keeper.ts";
import type { TrafficBudgets } from "./traffic-budgets.ts";
import { WayOut } from "./way-out.ts";

export interface UsageSourceOptions {
  readonly facts: Pick<EngineFacts, "usage" | "setUsage" | "atomically">;
  readonly budgets: TrafficBudgets;
  /** The kernel's; for tests others. */
  readonly counters?: () => readonly KernelCounters[];
  readonly clock: Clock;
  readonly keeper: Pick<ClockKeeper, "isTrusted" | "time">;
  readonly logger: Logger;
}

export interface BudgetChange {
  /** A budget's level is another; else only what is held. */
  readonly isLevelNew: boolean;
}

/** So much traffic may be lost with the power; less often than this costs no commit of its own. */
const unsavedLimitBytes = 1024 * 1024;
/** Where there are budgets, so much may go unnoticed: of our own requests, and in time. */
const unreadLimitBytes = 64 * 1024;
const lookIntervalMs = 60_000;
/** The kernel's counters begin anew with each boot. */
const longestUncountedMs = 5 * 60_000;

/** Counts what flows, by the kernel's counters and the audited requests of device client and queue. */
export class UsageSource {
  private readonly options: UsageSourceOptions;
  private readonly bootId = bootId();
  private readonly way = new WayOut();
  private readonly listeners = new Set<(change: BudgetChange) => void>();
  private state: UsageState;
  private unsavedBytes = 0;
  private unreadBytes = 0;
  private countedMs = Number.NEGATIVE_INFINITY;
  private lastWay: string | undefined;
  private currentHold: Hold = "nothing";

  constructor(options: UsageSourceOptions) {
    this.options = options;
    this.state = parseUsageState(options.facts.usage());
  }

  /** What an exhausted budget holds, on the way that requests to Murano take now. */
  get hold(): Hold {
    return this.currentHold;
  }

  /** Calls when a budget's level, or what is held, has changed. @returns what ends it */
  onChanged(listener: (change: BudgetChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Keeps an eye on the budgets, where there are any, until `stop` aborts. */
  async watch(stop: AbortSignal): Promise<void> {
    const { budgets, clock } = this.options;
    while (budgets.areSet && !stop.aborted) {
      this.count();
      await clock.sleep(lookIntervalMs, stop).catch(() => undefined);
    }
  }

  /** The device clients' audit hook. Must not throw: what cannot be kept now is kept later. */
  readonly audit = (exchange: AuditedExchange): void => {
    const { consumer = "gwe", procedure, bytesSent, bytesReceived, localAddress } = exchange;
    // Without a connection no byte of ours flowed.
    if (localAddress === undefined) return;
    const name = this.way.taken(localAddress);
    this.state = accumulateTraffic(this.state, {
      interface: name,
      consumer: isEnginePart(consumer) ? `${consumer}:${procedure}` : consumer,
      rx: bytesReceived,
      tx: bytesSent,
      ...this.moment(),
    });
    this.unsavedBytes += bytesSent + bytesReceived;
    if (this.unsavedBytes >= unsavedLimitBytes) this.saveNow();
    if (this.options.budgets.areSet) this.noteWay(name, localAddress, bytesSent + bytesReceived);
  };

  /** So much of our own has flowed on: budgets are looked at in time. */
  flowed(bytes: number): void {
    this.unreadBytes += bytes;
    if (this.options.budgets.areSet && this.unreadBytes >= unreadLimitBytes) this.count();
  }

  /** The report's text, up to the moment it is asked for, and a digest of the budgets' levels. */
  report(): { readonly text: string; readonly digest: string } {
    const { budgets, clock } = this.options;
    // Without budgets nothing depends on it: then so often that little is lost with the power.
    if (budgets.areSet || clock.monotonic() - this.countedMs >= longestUncountedMs) this.count();
    const text = (): string => {
      this.count();
      return usageReport(this.state, (name) =>
        budgets.standings().filter(({ budget }) => isOfBudget(budget, name)),
      );
    };
    return {
      get text() {
        return text();
      },
      digest: budgets.digest(),
    };
  }

  /** What has flowed, and how the budgets stand, up to this moment. */
  current(): { readonly usage: UsageState; readonly budgets: readonly BudgetStanding[] } {
    this.count();
    return { usage: this.state, budgets: this.options.budgets.standings() };
  }

  /** Durable with the caller's transaction. */
  save(): void {
    this.options.facts.setUsage(this.state);
    this.options.budgets.save();
    this.unsavedBytes = 0;
  }

  stop(): void {
    this.count();
    this.saveNow();
  }

  private count(): void {
    const { budgets } = this.options;
    const before = this.state;
    this.unreadBytes = 0;
    this.countedMs = this.options.clock.monotonic();
    this.state = accumulateCounters(before, {
      ...this.moment(),
      interfaces: (this.options.counters ?? readCounters)(),
    });
    if (!budgets.areSet) return;
    const flows = bytesBetween(before, this.state);
    const isLevelNew = budgets.spend(flows);
    for (const [name, bytes] of flows) {
      if (budgets.standings().some(({ budget }) => isOfBudget(budget, name))) this.unsavedBytes += bytes;
    }
    if (isLevelNew || this.unsavedBytes >= unsavedLimitBytes) this.saveNow();
    this.reviewHold(isLevelNew);
  }

  private moment(): UsageMoment {
    const { clock, keeper } = this.options;
    const { sinceBootMs } = keeper.time.now();
    return { bootId: this.bootId, sinceBootMs, nowMs: clock.now(), isTimeKnown: keeper.isTrusted };
  }

  private noteWay(name: string, address: string, bytes: number): void {
    this.way.note(address);
    if (name !== this.lastWay) this.unreadBytes = unreadLimitBytes;
    this.lastWay = name;
    this.flowed(bytes);
  }

  private reviewHold(isLevelNew: boolean): void {
    const { budgets, logger } = this.options;
    const hold = budgets.holdOn(this.way.next());
    const isNew = hold !== this.currentHold;
    if (isNew) logger.warn("what traffic budgets hold has changed", { from: this.currentHold, to: hold });
    this.currentHold = hold;
    if (isNew || isLevelNew) for (const listener of this.listeners) listener({ isLevelNew });
  }

  private saveNow(): void {
    // A disk that refuses is asked again after as much traffic, not at every request.
    this.unsavedBytes = 0;
    try {
      this.options.facts.atomically(() => this.save());
    } catch (error) {
      this.options.logger.error("usage could not be kept", { error: describeError(error) });
    }
  }
}

function isEnginePart(consumer: string): boolean {
  return consumer === "gwe" || consumer === "gmq";
}
