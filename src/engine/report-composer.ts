import type { Clock } from "../core/clock.ts";
import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { ReportAlias, ReportOutbox } from "../core/reports.ts";
import type { EngineFacts } from "./facts.ts";

/** A report's text, and a digest of the facts in it that last. */
export interface ComposedDeviceInfo {
  readonly text: string;
  readonly digest: string;
}

/** Where the reports' content comes from. */
export interface ReportSources {
  engineReport(): Promise<string>;
  deviceInfo(): Promise<ComposedDeviceInfo>;
  usageReport(): Promise<string>;
  /** Keeps the counts that the report tells; durable with the caller's transaction. */
  saveUsage(): void;
}

export interface ReportComposerDependencies {
  readonly sources: ReportSources;
  readonly outbox: ReportOutbox;
  readonly facts: Pick<
    EngineFacts,
    "deviceInfoSent" | "setDeviceInfoSent" | "usageSent" | "setUsageSent" | "forgetSent" | "atomically"
  >;
  readonly clock: Clock;
  readonly logger: Logger;
}

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Puts the reports that are due into the outbox: `engine_report` for every check-in, `device_info` when a lasting
 * fact changed, daily, or when asked for, `usage_report` daily or when asked for. A report that cannot be composed is left out; the check-in goes on.
 */
export class ReportComposer {
  private readonly dependencies: ReportComposerDependencies;
  private deviceInfoPending: ComposedDeviceInfo | undefined;
  private isUsagePending = false;

  constructor(dependencies: ReportComposerDependencies) {
    this.dependencies = dependencies;
  }

  /** The next check-in carries every report. Durable when it returns, or with the caller's transaction. */
  askForAll(): void {
    this.dependencies.facts.forgetSent();
  }

  /** Whether a report is owed that the next check-in will carry. */
  get isAsked(): boolean {
    const { facts } = this.dependencies;
    return facts.deviceInfoSent() === undefined || facts.usageSent() === undefined;
  }

  /** Returns what was composed but could not be kept: it is told only if it is sent now. */
  async compose(): Promise<Readonly<Partial<Record<ReportAlias, string>>>> {
    const { sources, outbox, facts, logger } = this.dependencies;
    const [engineReport, deviceInfo, usageReport] = await Promise.allSettled([
      sources.engineReport(),
      sources.deviceInfo(),
      sources.usageReport(),
    ]);
    for (const [alias, result] of Object.entries({
      engine_report: engineReport,
      device_info: deviceInfo,
      usage_report: usageReport,
    })) {
      if (result.status === "rejected") {
        logger.error("report could not be composed", { alias, error: describeError(result.reason) });
      }
    }
    const due =
      deviceInfo.status === "fulfilled" && this.isDue(deviceInfo.value) ? deviceInfo.value : undefined;
    this.deviceInfoPending = due;
    this.isUsagePending = usageReport.status === "fulfilled" && this.isOld(facts.usageSent());
    const values: Partial<Record<ReportAlias, string>> = {
      ...(engineReport.status === "fulfilled" && { engine_report: engineReport.value }),
      ...(due !== undefined && { device_info: due.text }),
      ...(this.isUsagePending && usageReport.status === "fulfilled" && { usage_report: usageReport.value }),
    };
    try {
      facts.atomically(() => {
        for (const [alias, value] of Object.entries(values))
          outbox.put(alias as ReportAlias, value, "newest");
        sources.saveUsage();
      });
      return {};
    } catch (error) {
      logger.error("reports could not be kept", { error: describeError(error) });
      return values;
    }
  }

  /** To be called when Murano has answered for the batch that followed `compose`. */
  answered(): void {
    const { deviceInfoPending, isUsagePending } = this;
    if (deviceInfoPending === undefined && !isUsagePending) return;
    const { facts, clock, logger } = this.dependencies;
    const sentAtMs = clock.now();
    try {
      facts.atomically(() => {
        if (deviceInfoPending !== undefined)
          facts.setDeviceInfoSent({ sentAtMs, digest: deviceInfoPending.digest });
        if (isUsagePending) facts.setUsageSent({ sentAtMs });
      });
    } catch (error) {
      // They are sent once more with the next check-in.
      logger.error("the sending of reports could not be kept", { error: describeError(error) });
    }
    this.deviceInfoPending = undefined;
    this.isUsagePending = false;
  }

  private isDue({ digest }: ComposedDeviceInfo): boolean {
    const sent = this.dependencies.facts.deviceInfoSent();
    return sent?.digest !== digest || this.isOld(sent);
  }

  private isOld(sent: { readonly sentAtMs: number } | undefined): boolean {
    if (sent === undefined) return true;
    // A clock that was set back must not silence the report.
    const ageMs = this.dependencies.clock.now() - sent.sentAtMs;
    return ageMs >= dayMs || ageMs < 0;
  }
}
