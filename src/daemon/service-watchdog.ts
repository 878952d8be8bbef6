import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/logger.ts";
import type { ServiceNotifier } from "../platform/service-notifier.ts";

export interface ServiceWatchdogDependencies {
  readonly notifier: ServiceNotifier;
  /** What no longer works though this process runs, in words; undefined while all is well. */
  readonly trouble: () => string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Fewer than three lost messages in a row are forgiven. */
const messagesPerPeriod = 3;

/**
 * Feeds systemd's watchdog for as long as there is no trouble: the event loop by being able to run this at all, the
 * rest by being asked. Once there is trouble, systemd ends the engine and starts another.
 */
export class ServiceWatchdog {
  private readonly dependencies: ServiceWatchdogDependencies;
  private readonly ending = new AbortController();
  private isTold = false;

  constructor(dependencies: ServiceWatchdogDependencies) {
    this.dependencies = dependencies;
  }

  start(): void {
    const { watchdogMs } = this.dependencies.notifier;
    if (watchdogMs !== undefined) void this.feed(watchdogMs / messagesPerPeriod);
  }

  /** Tells systemd that the engine takes orders. */
  async ready(): Promise<void> {
    await this.tell("READY=1");
  }

  stop(): void {
    this.ending.abort();
  }

  private async feed(everyMs: number): Promise<void> {
    const { trouble, clock, logger } = this.dependencies;
    const { signal } = this.ending;
    while (!signal.aborted) {
      const found = trouble();
      if (found === undefined) await this.tell("WATCHDOG=1");
      else if (!this.isTold) logger.error("the watchdog is not fed any more", { reason: found });
      this.isTold = found !== undefined;
      // Its only rejection is the end of all this.
      await clock.sleep(everyMs, signal).catch(() => undefined);
    }
  }

  private async tell(state: string): Promise<void> {
    const { notifier, logger } = this.dependencies;
    const failure = await notifier.notify(state);
    if (failure !== "") logger.error("systemd could not be told", { state, reason: failure });
  }
}
