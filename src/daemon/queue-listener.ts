import { rmSync } from "node:fs";
import type { Clock } from "../core/clock.ts";
import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { writeFileAtomic } from "../platform/files.ts";
import { ApiServer, type ApiServerOptions, type HttpSettings } from "../queue/index.ts";

export interface QueueListenerOptions {
  readonly api: Omit<ApiServerOptions, "settings" | "logger">;
  readonly settings: HttpSettings;
  /** Where the port is told. */
  readonly portFile: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

const tryAgainMs = 10_000;
const noStats = { connections: 0, answers: new Map<number, number>() };

/**
 * Keeps the queue's API listening. A port that somebody else holds is no reason for the engine to end: it is tried
 * again, for the original's own queue may only just be going.
 */
export class QueueListener {
  private readonly options: QueueListenerOptions;
  private readonly stopping = new AbortController();
  private settings: HttpSettings;
  private server: ApiServer | undefined;
  /** One change at a time. */
  private changes: Promise<void> = Promise.resolve();

  constructor(options: QueueListenerOptions) {
    this.options = options;
    this.settings = options.settings;
  }

  get isListening(): boolean {
    return this.server !== undefined;
  }

  stats(): ReturnType<ApiServer["stats"]> {
    return this.server?.stats() ?? noStats;
  }

  /** Resolves after the first attempt; where that fails, others follow. */
  async start(): Promise<void> {
    if (await this.attempt()) return;
    this.changes = this.keepTrying();
  }

  /** Listens by other settings from soon on: the request that asked for it is answered first. */
  change(settings: HttpSettings): void {
    if (JSON.stringify(settings) === JSON.stringify(this.settings)) return;
    this.settings = settings;
    this.changes = this.changes.then(async () => {
      await this.shut();
      await this.keepTrying();
    });
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.changes;
    await this.shut();
  }

  private async keepTrying(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted && !(await this.attempt())) {
      await this.options.clock.sleep(tryAgainMs, signal).catch(() => undefined);
    }
  }

  private async attempt(): Promise<boolean> {
    const { api, portFile, logger } = this.options;
    const server = new ApiServer({ ...api, settings: this.settings, logger });
    try {
      await server.start();
      writeFileAtomic(portFile, Buffer.from(`${server.port}\n`), { mode: 0o644 });
    } catch (error) {
      await server.stop();
      logger.error("the queue cannot be reached by apps", {
        reason: describeError(error),
        retryInMs: tryAgainMs,
      });
      return false;
    }
    this.server = server;
    logger.info("the queue listens", { port: server.port });
    return true;
  }

  private async shut(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    await server?.stop();
    rmSync(this.options.portFile, { force: true });
  }
}
