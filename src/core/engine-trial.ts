/**
 * A version of the engine that has yet to prove itself, as `trial` beside `versions/` tells of it. The file's other
 * readers and writers are packaging/install.sh and bin/trial.sh.
 */
export interface EngineTrial {
  /** Names of directories in `versions/`. */
  readonly version: string;
  readonly previous: string;
  /** Of the new one, without a check-in so far. */
  readonly starts: number;
}

/** Why a version was given up, as `trial-failed` tells of it. */
export interface FailedTrial {
  readonly version: string;
  readonly previous: string;
  readonly reason: string;
}

/** Undefined for what is none: it is then nobody's trial. */
export function parseTrial(text: string): EngineTrial | undefined {
  const { version, previous, starts } = entriesIn(text);
  if (!isName(version) || !isName(previous)) return undefined;
  return { version, previous, starts: /^\d{1,6}$/.test(starts ?? "") ? Number(starts) : 0 };
}

export function parseFailedTrial(text: string): FailedTrial | undefined {
  const { version, previous, reason } = entriesIn(text);
  return isName(version) && isName(previous) ? { version, previous, reason: reason ?? "" } : undefined;
}

/** One `key=value` a line. */
export function formatTrial(trial: EngineTrial | FailedTrial): string {
  return Object.entries(trial)
    .map(([key, value]) => `${key}=${String(value).replace(/\s+/g, " ")}\n`)
    .join("");
}

function entriesIn(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text.split("\n").flatMap((line) => {
      const at = line.indexOf("=");
      return at < 1 ? [] : [[line.slice(0, at), line.slice(at + 1)]];
    }),
  );
}

/** It becomes part of a path. */
function isName(text: string | undefined): text is string {
  return text !== undefined && /^[A-Za-z0-9_][A-Za-z0-9_.+~-]{0,120}$/.test(text);
}
