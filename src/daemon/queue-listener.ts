import { rmSync } from "node:fs";
import type { Clock } from "../core/clock.ts";
import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { writeFileAtomic } from "../platform/files.ts";
import { ApiServer, type ApiServerOptions, type HttpSettings } from "../queue/index.ts";

export interface QueueListenerOptions {
  readonly api: Omit<ApiServerOptions, "settings">;
  readonly settings: HttpSettings;
  /** Where the port is told, in decimal. */
  readonly portFile: string;
  /** For Murano to be told. */
  readonly reportTrouble: (text: string) => void;
  readonly clock: Clock;
}

/** Another program may hold the port for a while: the engine goes on without, and tries again. */
const listenAgainMs = 10_000;
const noStats = { connections: 0, answers: new Map<number, number>() };

/** Keeps the queue's API listening, by settings that may change. */
export class QueueListener {
  private readonly options: QueueListenerOptions;
  private readonly logger: Logger;
  private readonly stopping = new AbortController();
  private settings: HttpSettings;
  private server: ApiServer | undefined;
  private startedAtMs: number | undefined;
  /** The kernel's choice stays where nothing else is asked for. */
  private lastPort = 0;
  /** One change at a time. */
  private changes: Promise<void> = Promise.resolve();

  constructor(options: QueueListenerOptions) {
    this.options = options;
    this.settings = options.settings;
    this.logger = options.api.logger;
  }

  /** Milliseconds that apps have been served; undefined while they are not. */
  uptimeMs(): number | undefined {
    const { clock } = this.options;
    return this.startedAtMs === undefined ? undefined : clock.monotonic() - this.startedAtMs;
  }

  stats(): ReturnType<ApiServer["stats"]> {
    return this.server?.stats() ?? noStats;
  }

  start(): void {
    this.changes = this.listen();
  }

  /** Other settings are in force soon: the request that asked for them is answered first. */
  change(settings: HttpSettings): void {
    if (JSON.stringify(settings) === JSON.stringify(this.settings)) return;
    this.settings = settings;
    this.changes = this.changes.then(async () => {
      await this.shut();
      await this.listen();
    });
  }

  /** Requests that are being served get their answer. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.changes;
    await this.shut();
  }

  private async listen(): Promise<void> {
    const { clock, reportTrouble } = this.options;
    const { signal } = this.stopping;
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      try {
        await this.attempt();
        return;
      } catch (error) {
        if (isFirst) {
          this.logger.error("the queue cannot serve apps yet", { error: describeError(error) });
          reportTrouble(`the queue cannot serve apps: ${describeError(error)}`);
        }
      }
      await clock.sleep(listenAgainMs, signal).catch(() => undefined);
    }
  }

  private async attempt(): Promise<void> {
    const { api, portFile, clock } = this.options;
    const port = this.settings.port === 0 ? this.lastPort : this.settings.port;
    const server = new ApiServer({ ...api, settings: { ...this.settings, port } });
    await server.start();
    try {
      writeFileAtomic(portFile, `${server.port}\n`, { mode: 0o644 });
    } catch (error) {
      await server.stop();
      throw error;
    }
    this.server = server;
    this.startedAtMs = clock.monotonic();
    if (this.settings.port === 0) this.lastPort = server.port;
    this.logger.info("the queue serves apps", { port: server.port });
  }

  private async shut(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    this.startedAtMs = undefined;
    await server?.stop();
    rmSync(this.options.portFile, { force: true });
  }
}
