import type { Clock } from "../core/clock.ts";
import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { ReportAlias, ReportOutbox } from "../core/reports.ts";
import type { EngineFacts, ReportSent } from "./facts.ts";

/** A report's text, and a digest of that in it which is told at once when it changes. */
export interface ComposedReport {
  readonly text: string;
  readonly digest: string;
}

/** Where the reports' content comes from. */
export interface ReportSources {
  engineReport(): Promise<string>;
  deviceInfo(): Promise<ComposedReport>;
  /** Another whenever a lasting fact of `deviceInfo` may have changed that is likely to; cheap. */
  deviceFingerprint(): string;
  usageReport(): ComposedReport;
  /** Keeps the counts that the reports tell; durable with the caller's transaction. */
  saveCounts(): void;
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
/** How often it is asked whether the device may have changed. */
const lookAgainMs = 5 * 60 * 1000;
/** Collecting `device_info` costs more than all else in a check-in: for what no fingerprint shows. */
const collectAgainMs = 60 * 60 * 1000;

/**
 * Puts the reports that are due into the outbox: `engine_report` for every check-in; `device_info` when a lasting fact
 * changed and `usage_report` when a budget's level did, both daily, and when asked for. A report that cannot be
 * composed is left out; the check-in goes on.
 */
export class ReportComposer {
  private readonly dependencies: ReportComposerDependencies;
  /** In the outbox, and not yet answered for. */
  private deviceInfoPending: ComposedReport | undefined;
  private usagePending: ComposedReport | undefined;
  private lookedMs = Number.NEGATIVE_INFINITY;
  private collectedMs = Number.NEGATIVE_INFINITY;
  private fingerprint = "";

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
    const engineReport = await this.attempt("engine_report", () => sources.engineReport());
    this.deviceInfoPending = await this.attempt("device_info", () => this.deviceInfo());
    this.usagePending = await this.attempt("usage_report", () => this.usageReport());
    const values: Partial<Record<ReportAlias, string>> = {
      ...(engineReport !== undefined && { engine_report: engineReport }),
      ...(this.deviceInfoPending !== undefined && { device_info: this.deviceInfoPending.text }),
      ...(this.usagePending !== undefined && { usage_report: this.usagePending.text }),
    };
    try {
      facts.atomically(() => {
        for (const [alias, value] of Object.entries(values))
          outbox.put(alias as ReportAlias, value, "newest");
        sources.saveCounts();
      });
      return {};
    } catch (error) {
      logger.error("reports could not be kept", { error: describeError(error) });
      return values;
    }
  }

  /** To be called when Murano has answered for the batch that followed `compose`. */
  answered(): void {
    const { deviceInfoPending, usagePending } = this;
    if (deviceInfoPending === undefined && usagePending === undefined) return;
    const { facts, clock, logger } = this.dependencies;
    const sentAtMs = clock.now();
    try {
      facts.atomically(() => {
        if (deviceInfoPending !== undefined)
          facts.setDeviceInfoSent({ sentAtMs, digest: deviceInfoPending.digest });
        if (usagePending !== undefined) facts.setUsageSent({ sentAtMs, digest: usagePending.digest });
      });
    } catch (error) {
      // They are sent once more with the next check-in.
      logger.error("the sending of reports could not be kept", { error: describeError(error) });
    }
    this.deviceInfoPending = undefined;
    this.usagePending = undefined;
  }

  private async attempt<T>(alias: ReportAlias, compose: () => Promise<T> | T): Promise<T | undefined> {
    try {
      return await compose();
    } catch (error) {
      const { logger } = this.dependencies;
      logger.error("report could not be composed", { alias, error: describeError(error) });
      return undefined;
    }
  }

  /** Undefined when it is not due. */
  private async deviceInfo(): Promise<ComposedReport | undefined> {
    const { sources, facts, clock } = this.dependencies;
    const sent = facts.deviceInfoSent();
    const isKnown = !this.isOld(sent) && this.deviceInfoPending === undefined;
    const now = clock.monotonic();
    if (isKnown && now - this.lookedMs < lookAgainMs) return undefined;
    const fingerprint = sources.deviceFingerprint();
    const isSame = fingerprint === this.fingerprint && now - this.collectedMs < collectAgainMs;
    this.lookedMs = now;
    if (isKnown && isSame) return undefined;
    const info = await sources.deviceInfo();
    this.collectedMs = now;
    this.fingerprint = fingerprint;
    return this.isDue(info, sent) ? info : undefined;
  }

  /** Undefined when it is not due. */
  private usageReport(): ComposedReport | undefined {
    const report = this.dependencies.sources.usageReport();
    return this.isDue(report, this.dependencies.facts.usageSent()) ? report : undefined;
  }

  private isDue({ digest }: ComposedReport, sent: ReportSent | undefined): boolean {
    return sent?.digest !== digest || this.isOld(sent);
  }

  private isOld(sent: ReportSent | undefined): boolean {
    if (sent === undefined) return true;
    // A clock that was set back must not silence the report.
    const ageMs = this.dependencies.clock.now() - sent.sentAtMs;
    return ageMs >= dayMs || ageMs < 0;
  }
}
