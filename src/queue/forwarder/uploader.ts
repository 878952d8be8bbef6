import { classifyFailure, type Failure, pauseAfter } from "../../core/api-failure.ts";
import type { Clock, Random } from "../../core/clock.ts";
import { describeError } from "../../core/errors.ts";
import type { Hold } from "../../core/hold.ts";
import type { Logger } from "../../core/logger.ts";
import { type RetrySchedule, retryDelayMs } from "../../core/retry.ts";
import { Sleeper } from "../../core/sleeper.ts";
import type { Lane, QueueOutlet, Waiting } from "../types.ts";
import { urgentPriority } from "../urgent.ts";
import { BatchSender } from "./batch-sender.ts";
import { isUrgentOnly, sendable } from "./held.ts";
import type { IdentityLinks } from "./links.ts";
import { restAfter, uploadBackoff } from "./pace.ts";
import { planUpload, type UploadFacts } from "./planner.ts";
import type { RefusalWatch } from "./refusal-watch.ts";
import type { ForwarderSettings } from "./settings.ts";
import type { Slots } from "./slots.ts";
import type { UploadCounter } from "./stats.ts";

/**
 * Where nothing is to be had of what waits (the clock holds it, say): it is not looked at again before, however much is
 * appended to it.
 */
const emptyPauseMs = 1_000;

export interface UploaderDependencies {
  readonly outlet: QueueOutlet;
  readonly links: IdentityLinks;
  readonly refusals: RefusalWatch;
  readonly settings: () => ForwarderSettings;
  readonly hold: () => Hold;
  readonly slots: Slots;
  /** How many commits have added something, of any identity. */
  readonly commits: () => number;
  readonly counter: UploadCounter;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Murano has taken something: those who wait for the link need wait no longer. */
  readonly onReached: () => void;
  /** It could not be reached, or not understood. */
  readonly onLost: () => void;
}

/** For `gmq status`. */
export interface UploaderStatus {
  readonly identityId: number;
  readonly isUploading: boolean;
  /** Failed attempts in a row. */
  readonly failures: number;
  /** 0 where nothing keeps it from uploading. */
  readonly retryInMs: number;
  readonly lastError: string | undefined;
}

/** Uploads one identity's entries, one batch at a time, until it is stopped. */
export class Uploader {
  readonly identityId: number;
  private readonly dependencies: UploaderDependencies;
  private readonly sender: BatchSender;
  private lastLane: Lane = "backlog";
  private isCatchingUp: boolean;
  private isHurried = false;
  private isUploading = false;
  /** What is appended now does not matter yet: it waits for the end of a backoff or a pause. */
  private isPausing = false;
  private isNewsMissed = false;
  private waitsForLink = false;
  private failures = 0;
  private notBeforeMs = 0;
  private lastError: string | undefined;
  private readonly sleeper: Sleeper;

  /** @param hasBacklog what waits at the start has waited long enough */
  constructor(identityId: number, hasBacklog: boolean, dependencies: UploaderDependencies) {
    this.identityId = identityId;
    this.isCatchingUp = hasBacklog;
    this.dependencies = dependencies;
    const { outlet, counter, clock, settings } = dependencies;
    this.sleeper = new Sleeper(clock);
    this.sender = new BatchSender({
      outlet,
      counter,
      clock,
      fullLimits: () => ({ maxEntries: settings().batchEntries, maxBytes: settings().batchBytes }),
    });
  }

  /** Resolves when `stop` aborts and the request under way has ended. */
  async run(stop: AbortSignal): Promise<void> {
    stop.addEventListener("abort", () => this.wake(), { once: true });
    while (!stop.aborted) {
      const step = planUpload(this.facts());
      if (step.kind === "upload") {
        let isEmpty = false;
        const { clock, slots, commits } = this.dependencies;
        await slots.use(async () => {
          if (stop.aborted) return;
          const before = { ms: clock.monotonic(), commits: commits() };
          isEmpty = await this.upload(step.lane, stop);
          // In its slot, for others would take what it leaves.
          if (step.lane === "backlog") await this.rest(before, stop);
        });
        if (isEmpty) await this.sleeper.sleep(emptyPauseMs);
        continue;
      }
      if (step.kind === "wait") {
        if (step.isBackoff) await this.pause(step.forMs);
        else await this.sleeper.sleep(step.forMs);
        continue;
      }
      this.isHurried = false;
      if (step.kind === "held" && (await this.pause(emptyPauseMs))) continue;
      await this.sleeper.sleep(Number.POSITIVE_INFINITY);
    }
  }

  /** Something was appended. During a pause that changes nothing, and there may be hundreds a second. */
  appended(): void {
    if (this.isPausing) this.isNewsMissed = true;
    else this.wake();
  }

  /** A setting has changed. */
  wake(): void {
    this.sleeper.wake();
  }

  /** Uploads all there is now, whatever a backoff or a budget says. */
  hurry(): void {
    this.isHurried = true;
    this.retryNow();
  }

  /** Another identity found that the link works again. */
  linkIsBack(): void {
    if (this.waitsForLink) this.retryNow();
  }

  /** What kept it from uploading is gone. */
  retryNow(): void {
    this.waitsForLink = false;
    this.notBeforeMs = 0;
    this.wake();
  }

  status(): UploaderStatus {
    const leftMs = this.notBeforeMs - this.dependencies.clock.monotonic();
    return {
      identityId: this.identityId,
      isUploading: this.isUploading,
      failures: this.failures,
      retryInMs: Math.max(0, Math.round(leftMs)),
      lastError: this.lastError,
    };
  }

  /** A sleep that nothing that is appended ends. @returns whether there is news: it was woken, or something was appended */
  private async pause(ms: number): Promise<boolean> {
    this.isPausing = true;
    this.isNewsMissed = false;
    const isWoken = await this.sleeper.sleep(ms);
    this.isPausing = false;
    return isWoken || this.isNewsMissed;
  }

  /** A person who says "now" knows of the budget. */
  private get hold(): Hold {
    return this.isHurried ? "nothing" : this.dependencies.hold();
  }

  private facts(): UploadFacts {
    const { clock, settings, outlet } = this.dependencies;
    const waiting = outlet.waiting(this.identityId);
    // What is held by the clock is not there yet.
    const own = sendable(waiting, this.hold).filter(({ isHeld }) => !isHeld);
    const inLane = (lane: Lane): Waiting | undefined => own.find((waiting) => waiting.lane === lane);
    return {
      nowMs: clock.monotonic(),
      notBeforeMs: this.notBeforeMs,
      hasLive: inLane("live") !== undefined,
      backlog: inLane("backlog"),
      isHeld: waiting.some(({ isHeld }) => isHeld),
      fullBatch: settings().batchEntries,
      longestWaitMs: settings().batchRecordPeriodMs,
      isCatchingUp: this.isCatchingUp || this.sender.isUnfinished,
      isHurried: this.isHurried,
      lastLane: this.lastLane,
    };
  }

  private async rest(before: { ms: number; commits: number }, stop: AbortSignal): Promise<void> {
    const { clock, commits } = this.dependencies;
    const restMs = restAfter(clock.monotonic() - before.ms, commits() - before.commits);
    if (restMs === 0 || this.isHurried || stop.aborted) return;
    try {
      await clock.sleep(restMs, stop);
    } catch (error) {
      if (!stop.aborted) throw error;
    }
  }

  /** @returns whether there was nothing to be had after all */
  private async upload(lane: Lane, stop: AbortSignal): Promise<boolean> {
    this.lastLane = lane;
    this.isUploading = true;
    try {
      const count = await this.uploadBatch(lane, stop);
      if (lane === "backlog") this.isCatchingUp = count >= this.sender.limits().maxEntries;
      if (count > 0) await this.succeeded();
      return count === 0;
    } catch (error) {
      if (!stop.aborted) await this.failed(error);
      return false;
    } finally {
      this.isUploading = false;
    }
  }

  /** @returns how many entries were answered for */
  private async uploadBatch(lane: Lane, stop: AbortSignal): Promise<number> {
    const { outlet, links } = this.dependencies;
    const batch = await outlet.take(this.identityId, lane, {
      ...this.sender.limits(),
      ...(isUrgentOnly(this.hold, lane) && { minPriority: urgentPriority }),
    });
    if (batch === undefined) return 0;
    let latest = batch;
    try {
      const link = links.of(this.identityId);
      await link.activation?.savePending();
      const sent = await this.sender.send(batch, link.api, { signal: stop });
      latest = sent.batch;
      await outlet.settle(latest, sent.dead);
      this.sender.settled();
      return batch.entries.length;
    } catch (error) {
      outlet.release(latest);
      throw error;
    }
  }

  private async succeeded(): Promise<void> {
    const { outlet, refusals, logger, onReached } = this.dependencies;
    if (this.failures > 0) {
      outlet.reachable(this.identityId);
      logger.info("uploading again", { identity: this.identityId, afterFailures: this.failures });
    }
    this.failures = 0;
    this.notBeforeMs = 0;
    this.waitsForLink = false;
    this.lastError = undefined;
    onReached();
    await refusals.accepted(this.identityId);
  }

  private async failed(error: unknown): Promise<void> {
    const { clock, random, outlet, refusals, logger, onLost } = this.dependencies;
    const failure = classifyFailure(error);
    this.failures += 1;
    this.lastError = describeError(error);
    this.waitsForLink = failure.kind === "transient";
    if (this.waitsForLink) onLost();
    const delayMs = pauseAfter(failure, retryDelayMs(this.backoffAfter(failure), this.failures, random));
    this.notBeforeMs = clock.monotonic() + delayMs;
    const fields = { identity: this.identityId, reason: this.lastError, retryInMs: Math.round(delayMs) };
    if (this.failures === 1) logger.warn("upload failed, what is queued waits", fields);
    else logger.debug("upload failed again", { ...fields, attempt: this.failures });
    try {
      await outlet.unreachable(this.identityId);
      if (failure.kind === "unauthorized") await refusals.refused(this.identityId, this.lastError);
    } catch (trouble) {
      logger.error("the queue's state could not be kept", { error: describeError(trouble) });
    }
  }

  /** A refused CIK is a person's to put right: there is no hurry. */
  private backoffAfter(failure: Failure): RetrySchedule {
    const { activationRetryMs } = this.dependencies.settings();
    return failure.kind === "unauthorized"
      ? { ...uploadBackoff, maxDelayMs: activationRetryMs }
      : uploadBackoff;
  }
}
