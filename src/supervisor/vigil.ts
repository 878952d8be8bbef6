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

/** A launcher notes several things in a row. */
const gatherMs = 20;
/** A daemon that was stopped can't start what has ended: it should not for longer than this. */
const wakeIntervalMs = 2_000;
/** While nothing has ended. */
const restWakeIntervalMs = 5_000;
/** How often processes are looked for that have ended without a note. */
const reviewIntervalMs = 60_000;

/**
 * Notices what is no longer as it is wanted. Launchers' notes tell it at once; as long as they tell nothing, next to
 * nothing is done, and what nobody notes is looked for now and then (docs/supervision.md, "Who looks when").
 */
export class Vigil {
  private readonly deps: VigilDependencies;
  private readonly schedule: LookSchedule;
  private readonly notes: NotesWatch;
  private readonly looking: Sleeper;
  private readonly waking: Sleeper;
  /** Apps that are FATAL, and were told. */
  private readonly gaveUp = new Set<string>();
  /** Apps whose launchers have noted something that was not looked at yet. */
  private readonly noted = new Set<string>();
  private reviewedAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: VigilDependencies) {
    const { notesRoot, intervals, clock, random, logger } = deps;
    this.deps = deps;
    this.schedule = new LookSchedule(intervals, random);
    this.notes = new NotesWatch({ root: notesRoot, onNoted: (key) => this.changed(appOfKey(key)), logger });
    this.looking = new Sleeper(clock);
    this.waking = new Sleeper(clock);
  }

  /** From now on launchers' notes are heard, until the signal aborts. The directory of notes must be there. */
  listen(signal: AbortSignal): void {
    this.notes.start();
    signal.addEventListener(
      "abort",
      () => {
        this.notes.stop();
        this.looking.wake();
        this.waking.wake();
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

  /** Has pm2's daemon go on when somebody has stopped it. Beside the looks, which a stopped daemon holds up. */
  async keepAwake(signal: AbortSignal): Promise<void> {
    const { pm2, clock } = this.deps;
    while (!signal.aborted) {
      pm2.wake();
      const isDue = clock.monotonic() - this.reviewedAtMs >= reviewIntervalMs;
      if (isDue) this.tryReview(() => this.review());
      const isAtRest = this.notes.isWatching && !this.schedule.isRestless;
      await this.waking.sleep(isAtRest ? restWakeIntervalMs : wakeIntervalMs);
    }
  }

  /** Something about an app may be another than it was. It is looked at soon. */
  changed(app: string): void {
    this.noted.add(app);
    if (this.noted.size > 1) return;
    void this.deps.clock.sleep(gatherMs).then(() => this.tryReview(() => this.reviewNoted()));
  }

  /** How each app is right now. */
  review(): readonly AppStatus[] {
    const { desired, clock } = this.deps;
    this.reviewedAtMs = clock.monotonic();
    return this.replan(() => desired.all().map((app) => this.see(app)));
  }

  private reviewNoted(): void {
    const names = [...this.noted];
    this.noted.clear();
    this.replan(() => {
      for (const name of names) {
        const app = this.deps.desired.get(name);
        if (app !== undefined) this.see(app);
        else this.schedule.forget(name);
      }
    });
  }

  private see(app: DesiredApp): AppStatus {
    const { board, clock } = this.deps;
    const status = board.status(app);
    this.schedule.seen(status, clock.monotonic(), clock.now());
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
    if (schedule.isRestless && !wasRestless) this.waking.wake();
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
