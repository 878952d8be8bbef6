import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";

/** Exit status after an unexpected error: a service manager starts the engine again. */
const crashed = 70;
/** After a crash nothing can be relied upon, not even an orderly end. */
const orderlyEndMs = 15_000;

/** Waits for what nobody foresaw: it is logged, kept for Murano to be told of, and ends the engine. */
export class CrashWatch {
  /** Resolves to the exit status when something unforeseen has happened. */
  readonly ended: Promise<number>;
  private readonly logger: Logger;
  private readonly stop: AbortController;
  private readonly resolve: (status: number) => void;
  private report: (text: string) => void = () => undefined;
  private hasHappened = false;
  private lastResort: NodeJS.Timeout | undefined;
  private readonly onError = (error: unknown): void => this.happened(error);

  constructor(logger: Logger, stop: AbortController) {
    this.logger = logger;
    this.stop = stop;
    const { promise, resolve } = Promise.withResolvers<number>();
    this.ended = promise;
    this.resolve = resolve;
    process.on("uncaughtException", this.onError).on("unhandledRejection", this.onError);
  }

  /** Where Murano is told from; errors before that go to the log alone. */
  reportTo(report: (text: string) => void): void {
    this.report = report;
  }

  /** The same work, with its failure taken for a crash. */
  async watch(work: Promise<number>): Promise<number> {
    try {
      return await work;
    } catch (error) {
      this.happened(error);
      return crashed;
    }
  }

  happened(error: unknown): void {
    const stack = error instanceof Error ? error.stack : undefined;
    this.logger.error("unexpected error, the engine ends", { error: describeError(error), stack });
    // The first one tells; others are what comes of it.
    if (this.hasHappened) return;
    this.hasHappened = true;
    this.report(`unexpected error of the engine: ${describeError(error)}`);
    this.lastResort = setTimeout(() => process.exit(crashed), orderlyEndMs);
    this.stop.abort();
    this.resolve(crashed);
  }

  end(): void {
    clearTimeout(this.lastResort);
    process.off("uncaughtException", this.onError).off("unhandledRejection", this.onError);
  }
}
