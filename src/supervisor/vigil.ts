import type { AppStatus } from "../core/app-status.ts";
import type { Clock, Random } from "../core/clock.ts";
import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { Sleeper } from "../core/sleeper.ts";
import type { DesiredApp, DesiredState } from "./desired-state.ts";
import { type LookIntervals, LookSchedule } from "./look-schedule.ts";
import { NotesWatch } from "./notes-watch.ts";
import type { Pm2Port } from "./pm2/index.ts";
import { appOfKey } from "./process-key.ts";
import type { StatusBoard } from "./status-board.ts";

interface Known {
  readonly app: DesiredApp;
  readonly status: AppStatus;
  /** Of the wall clock when it was seen. */
  readonly wallOffsetMs: number;
}

export interface VigilDependencies {
  /** `run/apps` */
  readonly notesRoot: string;
  readonly desired: Pick<DesiredState, "all" | "get">;
  readonly board: Pick<StatusBoard, "status">;
  readonly pm2: Pick<Pm2Port, "wake">;
  /** Looks at everything, and brings it to what is wanted. @returns whether all is so */
  readonly settleAll: (signal: AbortSignal) => Promise<boolean>;
  /** Called after each look at everything. */
  readonly onLooked: () => void;
  /** An app has come to be FATAL. */
  readonly onGaveUp: () => void;
  readonly intervals: LookIntervals;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** By which the clocks may part before times are told anew. */
const longestDriftMs = 1_000;
/** A launcher notes several things in a row. */
const gatherMs = 20;
/** A daemon that was stopped can't start what has ended: it should not for longer than this. */
const wakeIntervalMs = 2_000;
/** While nothing has ended. */
const restWakeIntervalMs = 7_000;

/**
 * Notices what is no longer as it is wanted. Launchers' notes tell it at once; as long as they tell nothing, next to
 * nothing is done, and what nobody notes is looked for now and then (docs/supervision.md, "Who looks when").
 */
export class Vigil {
  private readonly deps: VigilDependencies;
  private readonly schedule: LookSchedule;
  private readonly notes: NotesWatch;
  private readonly looking: Sleeper;
  private waking: NodeJS.Timeout | undefined;
  private isListening = false;
  /** Apps that are FATAL, and were told. */
  private readonly gaveUp = new Set<string>();
  /** Apps whose launchers have noted something that was not looked at yet. */
  private readonly unseen = new Set<string>();
  /** What was seen of apps that are at rest; gone as soon as a launcher of theirs notes anything. */
  private readonly known = new Map<string, Known>();

  constructor(deps: VigilDependencies) {
    const { notesRoot, intervals, clock, random, logger } = deps;
    this.deps = deps;
    this.schedule = new LookSchedule(intervals, random);
    this.notes = new NotesWatch({ root: notesRoot, onNoted: (key) => this.changed(appOfKey(key)), logger });
    this.looking = new Sleeper(clock);
  }

  /** From now on launchers' notes are heard, until the signal aborts. The directory of notes must be there. */
  listen(signal: AbortSignal): void {
    this.isListening = true;
    this.notes.start();
    signal.addEventListener(
      "abort",
      () => {
        this.isListening = false;
        this.notes.stop();
        this.looking.wake();
        clearTimeout(this.waking);
        this.waking = undefined;
      },
      { once: true },
    );
  }

  /** Looks at everything now. Never rejects. */
  async look(signal: AbortSignal): Promise<void> {
    const { settleAll, onLooked, clock } = this.deps;
    const isSettled = await settleAll(signal);
    if (signal.aborted) return;
    this.schedule.looked(isSettled, clock.monotonic());
    this.tryReview(() => this.review());
    onLooked();
  }

  /** Looks at everything whenever it is due. */
  async keepLooking(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const waitMs = this.schedule.nextLookMs(this.notes.isWatching) - this.deps.clock.monotonic();
      await (waitMs > 0 ? this.looking.sleep(waitMs) : this.look(signal));
    }
  }

  /**
   * Has pm2's daemon go on when somebody has stopped it, until `listen`'s signal aborts. Beside the looks, which a
   * stopped daemon holds up.
   */
  keepAwake(): void {
    const isAtRest = this.notes.isWatching && !this.schedule.isRestless;
    clearTimeout(this.waking);
    // A timer and nothing around it: a look this frequent is most of what an engine at rest does beside its check-ins.
    this.waking = setTimeout(() => this.keepAwake(), isAtRest ? restWakeIntervalMs : wakeIntervalMs).unref();
    try {
      this.deps.pm2.wake();
    } catch (error) {
      this.deps.logger.error("pm2's daemon can't be looked at", { error: describeError(error) });
    }
  }

  /** Something about an app may be another than it was. It is looked at soon. */
  changed(app: string): void {
    this.known.delete(app);
    this.unseen.add(app);
    if (this.unseen.size > 1) return;
    void this.deps.clock.sleep(gatherMs).then(() => this.tryReview(() => this.reviewUnseen()));
  }

  /** How each app is right now. */
  review(): readonly AppStatus[] {
    return this.replan(() => this.deps.desired.all().map((app) => this.see(app)));
  }

  /** The same, but of apps at rest as their launchers noted it: nobody looks whether their processes are still there. */
  noted(): readonly AppStatus[] {
    return this.replan(() => this.deps.desired.all().map((app) => this.remembered(app) ?? this.see(app)));
  }

  private remembered(app: DesiredApp): AppStatus | undefined {
    const known = this.known.get(app.name);
    if (!this.notes.isWatching || known?.app !== app) return undefined;
    // Its times are by a clock that was set since, or ran on while the machine slept.
    return Math.abs(this.wallOffsetMs - known.wallOffsetMs) > longestDriftMs ? undefined : known.status;
  }

  private get wallOffsetMs(): number {
    return this.deps.clock.now() - this.deps.clock.monotonic();
  }

  private reviewUnseen(): void {
    const names = [...this.unseen];
    this.unseen.clear();
    if (!this.isListening) return;
    this.replan(() => {
      for (const name of names) {
        const app = this.deps.desired.get(name);
        if (app !== undefined) this.see(app);
        else this.forget(name);
      }
    });
  }

  private forget(name: string): void {
    this.schedule.forget(name);
    this.known.delete(name);
    this.gaveUp.delete(name);
  }

  private see(app: DesiredApp): AppStatus {
    const { board, clock } = this.deps;
    const status = board.status(app);
    this.schedule.seen(status, clock.monotonic(), clock.now());
    if (isLasting(status)) this.known.set(app.name, { app, status, wallOffsetMs: this.wallOffsetMs });
    else this.known.delete(app.name);
    this.tellIfGaveUp(status);
    return status;
  }

  private tellIfGaveUp({ name, version, state, exitStatus, signal, detail }: AppStatus): void {
    const { logger, onGaveUp } = this.deps;
    if (state !== "FATAL") {
      this.gaveUp.delete(name);
    } else if (!this.gaveUp.has(name)) {
      this.gaveUp.add(name);
      logger.error("an app gave up", { app: name, version, exitStatus, signal, detail });
      onGaveUp();
    }
  }

  /** Those who sleep learn of what has become due earlier. */
  private replan<T>(work: () => T): T {
    const { schedule, notes } = this;
    const wasRestless = schedule.isRestless;
    const before = schedule.nextLookMs(notes.isWatching);
    const result = work();
    if (schedule.nextLookMs(notes.isWatching) < before) this.looking.wake();
    if (schedule.isRestless && !wasRestless && this.waking !== undefined) this.keepAwake();
    return result;
  }

  private tryReview(review: () => unknown): void {
    try {
      review();
    } catch (error) {
      this.deps.logger.error("the apps' states can't be read", { error: describeError(error) });
    }
  }
}

/** Stays what it is until a launcher notes something: neither time nor probes change it. */
function isLasting(status: AppStatus): boolean {
  const processes = status.processes ?? [status];
  return processes.every(
    ({ state, restarting, health }) =>
      health === undefined && restarting !== true && ["RUNNING", "EXITED", "STOPPED"].includes(state),
  );
}
