import { classifyFailure, type Failure, pauseAfter } from "../core/api-failure.ts";
import type { Clock, Random } from "../core/clock.ts";
import { describeError, unreachable } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { type RetrySchedule, retryDelayMs } from "../core/retry.ts";
import { Sleeper } from "../core/sleeper.ts";
import type { CheckInResult } from "./check-in.ts";
import type { Credentials } from "./credentials.ts";
import { type LoopFacts, type LoopStep, planNext } from "./planner.ts";

export interface CheckInLoopDependencies {
  readonly credentials: Credentials;
  readonly checkIn: (signal: AbortSignal) => Promise<CheckInResult>;
  /** Reads `engine_fetch` and takes over what it holds. */
  readonly takeCommand: (signal: AbortSignal) => Promise<void>;
  /** True while a command's result waits to be told. */
  readonly resultsWaiting: () => boolean;
  /** Called after every attempt to speak to Murano, whatever came of it. */
  readonly onAttempted?: () => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Seconds between check-ins at the start; Murano may change it. */
  readonly updateIntervalS: number;
  readonly activationRetryIntervalS: number;
}

/** How the loop stands, for `gwe status`. Wall-clock milliseconds. */
export interface CheckInStatus {
  readonly intervalS: number;
  readonly lastSuccessAtMs: number | null;
  readonly nextAtMs: number | null;
  readonly lastError: string | null;
}

export interface CheckInFailure {
  readonly text: string;
  /** Wall-clock milliseconds. */
  readonly atMs: number;
}

/** After a failed check-in: 5 s, 10 s … 15 min, half of it random so that a fleet does not return in step. */
const backoff: RetrySchedule = { firstDelayMs: 5_000, maxDelayMs: 900_000, factor: 2, jitter: 0.5 };

/** Up to this share of the interval a check-in comes early: what once brought a fleet into step wears off. */
const intervalJitter = 0.1;

/** News of the gateway's own may bring a check-in forward this often: what flaps must not use up a data plan. */
const newsSpacingMs = 300_000;

/** Longer than every request and retry of one step together: a step that takes more hangs. */
const longestStepMs = 900_000;

/** Runs the planner's steps one after another until it is stopped. One step at a time: nothing here runs twice. */
export class CheckInLoop {
  private readonly dependencies: CheckInLoopDependencies;
  private intervalS: number;
  private hurry = true;
  private commandWaiting = false;
  private newsToldAtMs: number | undefined;
  private checkInDueMs: number;
  private activationDueMs: number;
  private notBeforeMs: number;
  private lastCheckInMs: number | undefined;
  private failures = 0;
  private lastSuccessAtMs: number | null = null;
  private lastServerTimeMs: number | undefined;
  private lastError: string | null = null;
  private newestFailure: CheckInFailure | undefined;
  private readonly made = { succeeded: 0, failed: 0 };
  private readonly sleeper: Sleeper;
  /** When the step under way must have ended; undefined between steps and outside `run`. Monotonic. */
  private stepEndsByMs: number | undefined;

  constructor(dependencies: CheckInLoopDependencies) {
    this.dependencies = dependencies;
    this.intervalS = dependencies.updateIntervalS;
    this.sleeper = new Sleeper(dependencies.clock);
    const now = dependencies.clock.monotonic();
    this.checkInDueMs = now;
    this.activationDueMs = now;
    this.notBeforeMs = now;
  }

  /** Resolves when `signal` aborts and the step under way has ended. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", () => this.sleeper.wake(), { once: true });
    while (!signal.aborted) {
      const step = planNext(this.facts());
      const waitMs = step.kind === "wait" ? step.forMs : 0;
      this.stepEndsByMs = this.dependencies.clock.monotonic() + waitMs + longestStepMs;
      await this.perform(step, signal);
    }
    this.stepEndsByMs = undefined;
  }

  /** Whether a step takes longer than any may: nothing but a new start would help. */
  isStuck(): boolean {
    return this.stepEndsByMs !== undefined && this.dependencies.clock.monotonic() > this.stepEndsByMs;
  }

  /** Counts from the check-in that brought it. */
  changeInterval(seconds: number): void {
    this.intervalS = seconds;
    this.checkInDueMs = (this.lastCheckInMs ?? this.dependencies.clock.monotonic()) + seconds * 1000;
  }

  /** A result waits: the next check-in comes at once, yet never earlier than a backoff allows. */
  hasten(): void {
    this.hurry = true;
    this.sleeper.wake();
  }

  /**
   * Something that an operator should learn early. The next check-in comes at once, or as soon as five minutes have
   * passed since the last that was brought forward so; no backoff is cut short.
   */
  hastenForNews(): void {
    const now = this.dependencies.clock.monotonic();
    const dueMs = this.newsToldAtMs === undefined ? now : Math.max(now, this.newsToldAtMs + newsSpacingMs);
    if (dueMs >= this.checkInDueMs) return;
    this.newsToldAtMs = dueMs;
    this.checkInDueMs = dueMs;
    this.sleeper.wake();
  }

  /** Someone at the gateway wants a check-in now, whatever the backoff says. */
  checkInNow(): void {
    this.notBeforeMs = this.dependencies.clock.monotonic();
    this.activationDueMs = this.notBeforeMs;
    this.hasten();
  }

  /**
   * A long poll saw a command. What it saw is not kept: a check-in under way may already have taken it, so the alias
   * is read again.
   */
  commandArrived(): void {
    this.commandWaiting = true;
    this.sleeper.wake();
  }

  /** The server's clock at the last check-in, unix milliseconds: nothing written before it was missed. */
  serverTimeOfLastCheckInMs(): number | undefined {
    return this.lastServerTimeMs;
  }

  status(): CheckInStatus {
    const { clock, credentials } = this.dependencies;
    const dueMs =
      credentials.current() === undefined
        ? this.activationDueMs
        : Math.max(this.checkInDueMs, this.notBeforeMs);
    return {
      intervalS: this.intervalS,
      lastSuccessAtMs: this.lastSuccessAtMs,
      nextAtMs: Math.round(clock.now() + Math.max(0, dueMs - clock.monotonic())),
      lastError: this.lastError,
    };
  }

  /** The newest failure, also where success has followed; undefined where all went well so far. */
  lastFailure(): CheckInFailure | undefined {
    return this.newestFailure;
  }

  /** Since the start. */
  checkIns(): { readonly succeeded: number; readonly failed: number } {
    return this.made;
  }

  private facts(): LoopFacts {
    const { clock, credentials } = this.dependencies;
    return {
      nowMs: clock.monotonic(),
      hasCredentials: credentials.areReady(),
      activationDueMs: this.activationDueMs,
      checkInDueMs: this.checkInDueMs,
      hurry: this.hurry,
      notBeforeMs: this.notBeforeMs,
      lastCheckInMs: this.lastCheckInMs,
      commandWaiting: this.commandWaiting,
    };
  }

  private async perform(step: LoopStep, signal: AbortSignal): Promise<void> {
    switch (step.kind) {
      case "wait":
        await this.sleeper.sleep(step.forMs);
        return;
      case "activate":
        return this.attempt(signal, () => this.dependencies.credentials.activate(), "activation failed");
      case "take-command":
        return this.attempt(signal, () => this.takeWaitingCommand(signal), "command could not be taken over");
      case "check-in":
        return this.attempt(signal, () => this.checkInOnce(signal), "check-in failed");
      default:
        return unreachable(step);
    }
  }

  private async attempt(signal: AbortSignal, work: () => Promise<void>, message: string): Promise<void> {
    try {
      await work();
      this.failures = 0;
      this.lastError = null;
      this.notBeforeMs = this.dependencies.clock.monotonic();
    } catch (error) {
      if (!signal.aborted) this.failed(error, message);
    } finally {
      this.dependencies.onAttempted?.();
    }
  }

  private async checkInOnce(signal: AbortSignal): Promise<void> {
    const { clock, credentials, checkIn, resultsWaiting, random } = this.dependencies;
    await credentials.savePending();
    this.hurry = false;
    this.lastCheckInMs = clock.monotonic();
    const early = intervalJitter * random();
    this.checkInDueMs = this.lastCheckInMs + this.intervalS * 1000 * (1 - early);
    let outcome: keyof typeof this.made = "failed";
    try {
      const { serverTimeMs } = await checkIn(signal);
      outcome = "succeeded";
      this.lastSuccessAtMs = clock.now();
      this.lastServerTimeMs = serverTimeMs ?? this.lastSuccessAtMs;
    } finally {
      this.made[outcome] += 1;
    }
    if (resultsWaiting()) this.hurry = true;
  }

  private async takeWaitingCommand(signal: AbortSignal): Promise<void> {
    // Reset first: where taking it fails, the check-in that follows the backoff reads the alias anyway.
    this.commandWaiting = false;
    await this.dependencies.takeCommand(signal);
  }

  private failed(error: unknown, message: string): void {
    const { clock, random, logger, credentials } = this.dependencies;
    const failure = classifyFailure(error);
    this.failures += 1;
    this.hurry = true;
    this.lastError = `${message}: ${describeError(error)}`;
    this.newestFailure = { text: this.lastError, atMs: clock.now() };
    const now = clock.monotonic();
    const delayMs = pauseAfter(failure, retryDelayMs(backoff, this.failures, random));
    this.notBeforeMs = now + delayMs;
    this.activationDueMs = now + this.activationDelayMs(failure, delayMs);
    const dueMs = credentials.areReady() ? this.notBeforeMs : this.activationDueMs;
    logger.warn(message, {
      reason: describeError(error),
      attempt: this.failures,
      retryInMs: Math.round(dueMs - now),
    });
  }

  /**
   * A refusal stands until a person acts: activation has an interval of its own, which the operator sets. A link that
   * is not up yet is tried sooner, and a server that asks for more time gets it.
   */
  private activationDelayMs(failure: Failure, backoffMs: number): number {
    const { random, activationRetryIntervalS } = this.dependencies;
    const intervalMs = activationRetryIntervalS * 1000 * (1 - 0.1 * random());
    if (failure.kind === "transient") return Math.min(backoffMs, intervalMs);
    return failure.kind === "rate-limited" ? Math.max(backoffMs, intervalMs) : intervalMs;
  }
}
