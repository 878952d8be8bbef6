/** Settings by their keys, as they stand in the files; the empty text for one that is not set. */
export type SettingTexts = Readonly<Record<string, string>>;

/** A trial that so many crashes cut short ends with the old settings. */
export const maxTrialResumes = 5;

/** New settings are in the files, or about to be, and have to show that the gateway still reaches Murano. */
export interface Trying {
  readonly phase: "trying";
  readonly before: SettingTexts;
  readonly after: SettingTexts;
  /** How long they have been in force without a check-in, as far as is on record. */
  readonly waitedMs: number;
  /** How often the engine or the gateway went down meanwhile. */
  readonly resumes: number;
}

/** The old settings are being put back. */
export interface Restoring {
  readonly phase: "restoring";
  readonly before: SettingTexts;
  readonly after: SettingTexts;
  /** Why, for the report. */
  readonly note: string;
}

export type TrialEvent =
  /** What the settings are now, and what they are to be. */
  | { readonly type: "settings-noted"; readonly before: SettingTexts; readonly after: SettingTexts }
  /** Still no check-in. The sum so far. */
  | { readonly type: "waited"; readonly waitedMs: number };

export function beginTrial({ before, after }: Extract<TrialEvent, { type: "settings-noted" }>): Trying {
  return { phase: "trying", before, after, waitedMs: 0, resumes: 0 };
}

export function afterWaiting(state: Trying, { waitedMs }: Extract<TrialEvent, { type: "waited" }>): Trying {
  return { ...state, waitedMs };
}

/** The engine was restarted, by its own wish, once, to have the settings take effect; more often than that is trouble. */
export function resumeTrial(state: Trying): Trying | Restoring {
  const resumes = state.resumes + 1;
  if (resumes < maxTrialResumes) return { ...state, resumes };
  return endTrial(state, `the engine or the gateway went down ${resumes} times before a check-in succeeded`);
}

export function endTrial({ before, after }: Trying, note: string): Restoring {
  return { phase: "restoring", before, after, note };
}
