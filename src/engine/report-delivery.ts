import { classifyFailure } from "../core/api-failure.ts";
import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { ReportAlias } from "../core/reports.ts";
import type { CallOptions, DeviceApi, ReadAnswer } from "../device-client/index.ts";
import type { Outbox, OutboxBatch } from "./outbox.ts";
import type { ReportComposer } from "./report-composer.ts";

export interface ReportDeliveryDependencies {
  readonly api: Pick<DeviceApi, "read" | "writeRead" | "write">;
  readonly outbox: Pick<Outbox, "nextBatch" | "delivered">;
  readonly composer: ReportComposer;
  readonly logger: Logger;
}

export interface Exchange {
  readonly answer: ReadAnswer;
  /** Murano refused the reports, though it answers the same reading without them. */
  readonly refusal: unknown;
}

/** Murano says with these that repeating the request cannot help (spec: device-api.md, "Status codes"). */
const malformedStatuses: readonly (number | undefined)[] = [400, 412, 413, 415];
/** So often reports are refused before what is wrong with them is looked for. */
const maxRefusals = 3;

/** Carries the waiting reports to Murano in the request that reads, and gets past those that it will not have. */
export class ReportDelivery {
  private readonly dependencies: ReportDeliveryDependencies;
  private refusals = 0;

  constructor(dependencies: ReportDeliveryDependencies) {
    this.dependencies = dependencies;
  }

  /** @throws DeviceApiError when the reading itself failed; the reports then wait on */
  async exchange(aliases: readonly string[], options: CallOptions): Promise<Exchange> {
    const { api, outbox, composer, logger } = this.dependencies;
    const fresh = await composer.compose();
    const stored = outbox.nextBatch();
    // What a full disk did not take is told all the same.
    const batch: OutboxBatch = { ...stored, values: { ...stored.values, ...fresh } };
    try {
      const answer = await api.writeRead(batch.values, aliases, options);
      this.refusals = 0;
      this.delivered(stored);
      composer.answered();
      logger.debug("checked in", { reports: Object.keys(batch.values) });
      return { answer, refusal: undefined };
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // Refused without reports as well: it is not they that are wrong, and they wait.
      const answer = await api.read(aliases, options);
      this.refusals += 1;
      logger.warn("reports refused", { reports: Object.keys(batch.values), times: this.refusals });
      if (this.refusals < maxRefusals) return { answer, refusal: error };
      this.refusals = 0;
      await this.sendEachAlone(batch, options);
      return { answer, refusal: undefined };
    }
  }

  /** Of several reports the good ones arrive, and those that are refused by themselves are dropped. */
  private async sendEachAlone(batch: OutboxBatch, options: CallOptions): Promise<void> {
    const { api, composer, logger } = this.dependencies;
    for (const [alias, value] of Object.entries(batch.values)) {
      const own: OutboxBatch = {
        values: {},
        entries: batch.entries.filter((entry) => entry.alias === (alias as ReportAlias)),
      };
      try {
        await api.write({ [alias]: value }, options);
        this.delivered(own);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        this.delivered(own);
        logger.error("a report that Murano keeps refusing is dropped", {
          alias,
          bytes: Buffer.byteLength(value),
          reason: describeError(error),
        });
      }
    }
    composer.answered();
  }

  private delivered(batch: OutboxBatch): void {
    try {
      this.dependencies.outbox.delivered(batch);
    } catch (error) {
      this.dependencies.logger.error("delivered reports could not be taken off the disk", {
        error: describeError(error),
      });
    }
  }
}

function isRefusal(error: unknown): boolean {
  const failure = classifyFailure(error);
  return failure.kind === "rejected" && malformedStatuses.includes(failure.status);
}
