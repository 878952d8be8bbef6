import type { RemoteSettings } from "../config/index.ts";
import type { Clock } from "../core/clock.ts";
import type { SettingsHost } from "../ota/index.ts";

export interface EngineSettingsDependencies {
  readonly files: RemoteSettings;
  readonly clock: Clock;
  /** Ends this run of the engine and begins another, in the same process. */
  readonly restart: () => void;
}

/** The settings of this run of the engine: a run that has checked in has shown that they let it. */
export class EngineSettings implements SettingsHost {
  readonly files: RemoteSettings;
  private readonly dependencies: EngineSettingsDependencies;
  private readonly firstCheckIn = Promise.withResolvers<true>();
  private trouble: () => string | null = () => null;

  constructor(dependencies: EngineSettingsDependencies) {
    this.dependencies = dependencies;
    this.files = dependencies.files;
  }

  /** A check-in has succeeded. */
  noteCheckIn(): void {
    this.firstCheckIn.resolve(true);
  }

  /** Whom to ask what the last check-in failed of. */
  askTrouble(trouble: () => string | null): void {
    this.trouble = trouble;
  }

  restartEngine(): void {
    this.dependencies.restart();
  }

  async checkedIn(ms: number, signal: AbortSignal): Promise<boolean> {
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const waited = this.dependencies.clock.sleep(ms, either).then(() => false);
    // Where a check-in came first, the sleep ends by being called off.
    waited.catch(() => undefined);
    try {
      return await Promise.race([this.firstCheckIn.promise, waited]);
    } finally {
      over.abort();
    }
  }

  lastTrouble(): string | undefined {
    return this.trouble() ?? undefined;
  }
}
