import { networkInterfaces } from "node:os";
import type { Clock } from "../core/clock.ts";
import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { AuditedExchange } from "../device-client/index.ts";
import type { EngineFacts } from "../engine/index.ts";
import { bootId } from "../platform/process-table.ts";
import {
  accumulateCounters,
  accumulateTraffic,
  parseUsageState,
  readCounters,
  type UsageState,
  usageReport,
} from "../telemetry/index.ts";

export interface UsageSourceOptions {
  readonly facts: Pick<EngineFacts, "usage" | "setUsage">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** So much audited traffic may be lost with the power; less often than this costs no commit of its own. */
const unsavedLimitBytes = 1024 * 1024;

/** Counts what flows, by the kernel's counters and the audited requests of device client and queue. */
export class UsageSource {
  private readonly options: UsageSourceOptions;
  private state: UsageState;
  private unsavedBytes = 0;
  private readonly bootId = bootId();
  private interfaceOf: ReadonlyMap<string, string> = new Map();

  constructor(options: UsageSourceOptions) {
    this.options = options;
    this.state = parseUsageState(options.facts.usage());
  }

  /** The device clients' audit hook. Must not throw: what cannot be kept now is kept later. */
  readonly audit = (exchange: AuditedExchange): void => {
    const { consumer = "gwe", procedure, bytesSent, bytesReceived, localAddress } = exchange;
    // Without a connection no byte of ours flowed.
    if (localAddress === undefined) return;
    this.state = accumulateTraffic(this.state, {
      interface: this.interfaceNamed(localAddress),
      consumer: isEnginePart(consumer) ? `${consumer}:${procedure}` : consumer,
      rx: bytesReceived,
      tx: bytesSent,
      nowMs: this.options.clock.now(),
    });
    this.unsavedBytes += bytesSent + bytesReceived;
    if (this.unsavedBytes >= unsavedLimitBytes) this.saveNow();
  };

  /** The report's text, up to this moment. */
  report(): string {
    return usageReport(this.current());
  }

  /** What has flowed, up to this moment. */
  current(): UsageState {
    this.count();
    return this.state;
  }

  /** Durable with the caller's transaction. */
  save(): void {
    this.options.facts.setUsage(this.state);
    this.unsavedBytes = 0;
  }

  stop(): void {
    this.count();
    this.saveNow();
  }

  private count(): void {
    const nowMs = this.options.clock.now();
    this.state = accumulateCounters(this.state, { bootId: this.bootId, nowMs, interfaces: readCounters() });
  }

  private saveNow(): void {
    // A disk that refuses is asked again after as much traffic, not at every request.
    this.unsavedBytes = 0;
    try {
      this.save();
    } catch (error) {
      this.options.logger.error("usage could not be kept", { error: describeError(error) });
    }
  }

  private interfaceNamed(address: string): string {
    const plain = address.replace(/^::ffff:/, "");
    if (!this.interfaceOf.has(plain)) this.interfaceOf = addresses();
    return this.interfaceOf.get(plain) ?? "unknown";
  }
}

function isEnginePart(consumer: string): boolean {
  return consumer === "gwe" || consumer === "gmq";
}

function addresses(): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(networkInterfaces()).flatMap(([name, entries = []]) =>
      entries.map(({ address }): [string, string] => [address, name]),
    ),
  );
}
