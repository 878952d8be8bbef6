import { engineVersion, type Paths } from "../config/index.ts";
import {
  type EngineTrial,
  type FailedTrial,
  formatTrial,
  parseFailedTrial,
  parseTrial,
} from "../core/engine-trial.ts";
import type { Logger } from "../core/logger.ts";
import type { EngineUpdateHost, EngineUpdateOutcome } from "../ota/index.ts";

/** Versions of the engine beside one another (`platform/engine-installation.ts`). */
export interface Installation {
  readonly running: string;
  current(): string | undefined;
  makeCurrent(version: string): void;
  program(version: string, command: string): string;
  read(name: string): string | undefined;
  write(name: string, text: string): void;
  remove(name: string): void;
}

export interface EngineUpdateDependencies {
  readonly paths: Paths;
  /** Undefined where this engine runs from elsewhere, such as a checkout. */
  readonly installation: Installation | undefined;
  /** As `SettingsHost.checkedIn`. */
  readonly checkedIn: (ms: number, signal: AbortSignal) => Promise<boolean>;
  /** What the last check-in failed of. */
  readonly lastTrouble: () => string | undefined;
  /** Whether Murano answers the program, which is the former version's `gdc`. */
  readonly reaches: (gdc: string) => Promise<boolean>;
  /** Ends this process; whoever runs it starts the version that is current then. */
  readonly restart: () => void;
  /** Tells Murano with the next check-in. */
  readonly report: (text: string) => void;
  readonly logger: Logger;
}

const lookEveryMs = 30_000;
/** Of time in which Murano could be reached, and yet no check-in succeeded. */
export const probationMs = 10 * 60_000;

/**
 * This engine's own update. A version that is on trial has to check in; it is given up for the former one when it has
 * not within ten minutes in which Murano could be reached. The judge of that is the former version's `gdc`, since what
 * the new one cannot reach may be its own fault. Starts that end in between are counted by bin/trial.sh; those while
 * Murano is away are forgiven here.
 */
export class EngineUpdate implements EngineUpdateHost {
  readonly version = engineVersion;
  readonly arch = process.arch;
  private readonly deps: EngineUpdateDependencies;
  private readonly proved = Promise.withResolvers<void>();

  constructor(dependencies: EngineUpdateDependencies) {
    this.deps = dependencies;
  }

  /**
   * Watches over a trial of this version until `stop`, or has told of another one's; answers at once.
   * @param isAwaited whether a job is to report what became of the update: then nobody else does
   */
  start(stop: AbortSignal, isAwaited: boolean): void {
    const failed = this.failed();
    if (failed !== undefined && !isAwaited && !this.isTold()) {
      this.deps.report(describeFailed(failed));
      this.noteTold();
    }
    const trial = this.ownTrial();
    if (trial === undefined) return;
    this.deps.logger.info("this version is on trial until it has checked in", { ...trial });
    void this.watch(trial, stop).catch((error: unknown) => {
      if (!stop.aborted) this.deps.logger.error("the trial of this version could not be watched", { error });
    });
  }

  /** Of another version that was given up for this one. */
  private failed(): FailedTrial | undefined {
    const { installation } = this.deps;
    const failed = parseFailedTrial(installation?.read("trial-failed") ?? "");
    return failed?.version === installation?.running ? undefined : failed;
  }

  refusal(): string | undefined {
    const { installation, paths } = this.deps;
    if (installation !== undefined && paths.home === null) return undefined;
    return "this engine was not placed by an install.sh and cannot replace itself: upgrade it as it was installed";
  }

  async outcome(signal: AbortSignal): Promise<EngineUpdateOutcome> {
    const { installation, restart, logger } = this.deps;
    const never = Promise.withResolvers<never>();
    const aborted = (): void => never.reject(signal.reason);
    signal.addEventListener("abort", aborted, { once: true });
    if (signal.aborted) aborted();
    try {
      const current = installation?.current();
      if (installation !== undefined && current !== undefined && current !== installation.running) {
        logger.info("the engine restarts as another version", { version: current });
        restart();
        return await never.promise;
      }
      if (this.ownTrial() !== undefined) {
        await Promise.race([this.proved.promise, never.promise]);
        return { kind: "proved" };
      }
      const failed = this.failed();
      if (failed === undefined) return { kind: "proved" };
      this.noteTold();
      return { kind: "went-back", reason: describeFailed(failed) };
    } finally {
      signal.removeEventListener("abort", aborted);
    }
  }

  private isTold(): boolean {
    const { installation } = this.deps;
    return installation?.read("trial-told") === installation?.read("trial-failed");
  }

  private noteTold(): void {
    const { installation } = this.deps;
    installation?.write("trial-told", installation.read("trial-failed") ?? "");
  }

  private ownTrial(): EngineTrial | undefined {
    const { installation } = this.deps;
    const trial = parseTrial(installation?.read("trial") ?? "");
    return trial?.version === installation?.running ? trial : undefined;
  }

  private async watch(trial: EngineTrial, stop: AbortSignal): Promise<void> {
    const { installation, checkedIn, reaches, logger } = this.deps;
    if (installation === undefined) return;
    const judge = installation.program(trial.previous, "gdc");
    for (let reachedMs = 0; ; ) {
      if (await checkedIn(lookEveryMs, stop)) {
        installation.remove("trial");
        logger.info("this version has proved itself", { version: trial.version });
        this.proved.resolve();
        return;
      }
      stop.throwIfAborted();
      if (await reaches(judge)) reachedMs += lookEveryMs;
      // It runs, and what it lacks is no fault of its own.
      else installation.write("trial", formatTrial({ ...trial, starts: 0 }));
      if (reachedMs >= probationMs) {
        this.goBack(trial, installation);
        return;
      }
    }
  }

  private goBack({ version, previous }: EngineTrial, installation: Installation): void {
    const trouble = this.deps.lastTrouble();
    const reason = `no check-in in ${probationMs / 60_000} minutes in which Murano could be reached${trouble === undefined ? "" : ` (${trouble})`}`;
    this.deps.logger.error("this version is given up for the former one", { version, previous, reason });
    // In this order each power cut leaves a version that is started, and counted.
    installation.write("trial-failed", formatTrial({ version, previous, reason }));
    installation.makeCurrent(previous);
    installation.remove("trial");
    this.deps.restart();
  }
}

function describeFailed({ version, previous, reason }: FailedTrial): string {
  return `version ${version} was given up, ${previous} runs again: ${reason}`;
}
