import type { Clock } from "../core/clock.ts";
import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { AppFiles, ProcessTrace } from "./app-files.ts";
import type { AppLaunches } from "./app-launches.ts";
import type { DesiredState } from "./desired-state.ts";
import { SupervisorConfError } from "./errors.ts";
import { uptimeCs } from "./launcher/boot-clock.ts";
import type { LogDaemonKeeper } from "./logd/keeper.ts";
import type { Pm2Entry, Pm2Port } from "./pm2/index.ts";
import { appOfKey, isProcessWanted, processesOf } from "./process-key.ts";
import type { Reconciler } from "./reconciler.ts";
import type { StatusBoard } from "./status-board.ts";

interface AppSettlerDependencies {
  readonly desired: Pick<DesiredState, "all" | "get">;
  readonly files: AppFiles;
  readonly launches: AppLaunches;
  readonly reconciler: Reconciler;
  readonly board: StatusBoard;
  readonly logDaemon: LogDaemonKeeper;
  readonly pm2: Pm2Port;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How long a class of priority may keep the next ones from being started. */
const longestBeginningMs = 2_000;

/** Brings whole apps, with all their processes, to what is wanted, in supervisord's order. */
export class AppSettler {
  private readonly deps: AppSettlerDependencies;
  private readonly warned = new Set<string>();

  constructor(deps: AppSettlerDependencies) {
    this.deps = deps;
  }

  /** @returns whether all is as wanted */
  async settleAll(signal: AbortSignal): Promise<boolean> {
    const { pm2, logger } = this.deps;
    try {
      await pm2.ensureUp(signal);
      const all = await pm2.list();
      const hasLogDaemon = await this.ensureLogDaemon(all);
      const entries = all.filter((entry) => !this.deps.logDaemon.isOwn(entry));
      const keys = this.keysByApp(entries);
      // Nearly always all is well: each app that looks so is not asked about again.
      const unsettled = [...keys].filter(([, own]) =>
        own.some((key) => !this.deps.reconciler.isSettled(key, entries)),
      );
      for (const [name] of keys) {
        if (!unsettled.some(([other]) => other === name)) this.deps.board.clearProblem(name);
      }
      const names = unsettled.map(([name]) => name);
      return (await this.settleByPriority(names, signal)) && hasLogDaemon;
    } catch (error) {
      if (!signal.aborted) logger.error("supervision can't reach pm2", { error: describeError(error) });
      return false;
    }
  }

  /** Before any app: without it, an app waits as soon as its FIFO is full. @returns whether it is as wanted */
  private async ensureLogDaemon(entries: readonly Pm2Entry[]): Promise<boolean> {
    try {
      await this.deps.logDaemon.ensure(entries);
      return true;
    } catch (error) {
      this.deps.logger.error("the log daemon can't be started", { error: describeError(error) });
      return false;
    }
  }

  /** Each app that is wanted or has left something, with the keys of its processes. */
  private keysByApp(entries: readonly Pm2Entry[]): ReadonlyMap<string, readonly string[]> {
    const keys = new Set([
      ...this.deps.desired.all().flatMap((app) => processesOf(app).map(({ key }) => key)),
      ...entries.map(({ name }) => name),
      ...this.deps.files.keys(),
    ]);
    const byApp = new Map<string, string[]>();
    for (const key of keys) byApp.set(appOfKey(key), [...(byApp.get(appOfKey(key)) ?? []), key]);
    return byApp;
  }

  /** supervisord starts lower priorities first: the next are begun when those before have, or take too long to. */
  private async settleByPriority(names: readonly string[], signal: AbortSignal): Promise<boolean> {
    const { clock } = this.deps;
    const classes = Map.groupBy(names, (name) => this.priorityOf(name));
    const work: Promise<boolean>[] = [];
    const sinceCs = uptimeCs();
    for (const [, apps] of [...classes].sort(([one], [other]) => one - other)) {
      const begun = apps.map(async (name) => {
        const settled = this.settleOrReport(name, signal);
        work.push(settled);
        if (await settled) await this.untilBegun(name, sinceCs, signal);
      });
      const enough = new AbortController();
      const tooLong = clock.sleep(longestBeginningMs, AbortSignal.any([signal, enough.signal]));
      await Promise.race([Promise.all(begun), tooLong.catch(() => undefined)]);
      enough.abort();
    }
    return (await Promise.all(work)).every((result) => result);
  }

  /** What nobody wants (any more) goes first. */
  private priorityOf(name: string): number {
    const app = this.deps.desired.get(name);
    if (app?.kind !== "long-running" || app.wanted === "stopped") return Number.NEGATIVE_INFINITY;
    // Without a readable file it can't be started anyway; settling it reports why.
    return this.deps.launches.confIfReadable(app)?.priority ?? Number.NEGATIVE_INFINITY;
  }

  /** Resolves when each launcher has noted that its app's process is there, or can't be. */
  private async untilBegun(name: string, sinceCs: number, signal: AbortSignal): Promise<void> {
    const app = this.deps.desired.get(name);
    if (app?.wanted !== "running") return;
    const deadline = this.deps.clock.monotonic() + longestBeginningMs;
    while (!signal.aborted && this.deps.clock.monotonic() < deadline) {
      const wanted = processesOf(app).filter((process) => isProcessWanted(app, process));
      if (wanted.every(({ key }) => hasBegun(this.deps.files.trace(key), sinceCs))) return;
      await this.deps.clock.sleep(10, signal).catch(() => undefined);
    }
  }

  /** @throws SupervisorConfError, StrayProcessError, or an error of pm2's adapter */
  async settle(name: string, signal: AbortSignal): Promise<void> {
    const { pm2 } = this.deps;
    await pm2.ensureUp(signal);
    const keys = this.keysByApp(await pm2.list()).get(name) ?? [];
    const results = await Promise.allSettled(keys.map((key) => this.deps.reconciler.settle(key, signal)));
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  /** @returns whether it is as wanted; if not, its status and the log say why */
  async settleOrReport(name: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.settle(name, signal);
      this.deps.board.clearProblem(name);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const detail = describeError(error);
      // A wrong file stays wrong until somebody acts; the rest may pass by itself.
      if (error instanceof SupervisorConfError) this.deps.board.setProblem(name, detail);
      const key = `${name}: ${detail}`;
      if (!this.warned.has(key)) this.deps.logger.error("an app is not as wanted", { app: name, detail });
      this.warned.add(key);
      return false;
    }
  }
}

/** Noted by the launcher that lives, or by one that has come and gone since. */
function hasBegun({ launcher, state }: ProcessTrace, sinceCs: number): boolean {
  if (state === undefined) return false;
  return state.sinceCs >= sinceCs || (launcher !== undefined && launcher.pid === state.launcher?.pid);
}
