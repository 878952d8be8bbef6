import type { SettingTexts } from "./settings-trial.ts";

/** The engine's own settings in its files, as `configure` changes them. */
export interface SettingsFiles {
  /** What speaks against setting these, one sentence for each key; none when they may be set. Changes nothing. */
  faultsOf(settings: SettingTexts): readonly string[];
  /** As the files have them now. */
  current(keys: readonly string[]): SettingTexts;
  /**
   * Puts the new settings into the files. A key that has another text than `before` says was changed by somebody else
   * meanwhile and stays. May be repeated; durable when it returns.
   */
  apply(before: SettingTexts, after: SettingTexts): void;
  /** Puts the old ones back, likewise, with what belongs to them. */
  putBack(before: SettingTexts, after: SettingTexts): void;
  /** Whether the engine works by what the files say of these keys. */
  areInForce(keys: readonly string[]): boolean;
  /** Why an engine could not start with the files as they are; undefined when it could. */
  startFault(): string | undefined;
  /** There is no trial, or it is over: whatever else was kept for the return of the old settings may go. */
  forgetOld(): void;
}

/** What a change of settings asks of the running engine. */
export interface SettingsHost {
  readonly files: SettingsFiles;
  /** Has the engine stop in an orderly way and start anew; the pipeline is stopped soon after. Apps run on. */
  restartEngine(): void;
  /** Resolves to true at once when a check-in has succeeded since the engine's start, or as soon as one does; to false after `ms`. */
  checkedIn(ms: number, signal: AbortSignal): Promise<boolean>;
  /** What the last check-in failed of. */
  lastTrouble(): string | undefined;
}
