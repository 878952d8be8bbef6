/**
 * Whether, and by whom, the true time is known (docs/clock.md). Pure: times are milliseconds, `…Ms` of the boot clock
 * (since the machine booted, suspend included) unless they say otherwise; an offset is unix time less boot clock.
 */

/**
 * - `system`: the operating system says that its clock is synchronised
 * - `murano`: the times of Murano's answers
 * - `kept`: learned by an earlier run of the engine in this boot
 * - `assumed`: Murano answers without telling its time, and the wall clock is not plainly wrong
 */
export type TimeSource = "system" | "murano" | "kept" | "assumed";

/** A time that the server wrote into an answer. */
export interface ServerTime {
  /** Unix milliseconds of a whole second: it was then, or up to a second later. */
  readonly dateMs: number;
  /** When the request was on its way, and when the answer was there: the server's reading lies between. */
  readonly sentMs: number;
  readonly receivedMs: number;
}

interface Known {
  readonly source: TimeSource;
  /** At `anchorMs`; from then on it moves towards `targetMs`, slowly, so that time never runs backwards. */
  readonly offsetMs: number;
  readonly targetMs: number;
  readonly anchorMs: number;
}

interface Bounds {
  readonly lowMs: number;
  readonly highMs: number;
  readonly atMs: number;
}

export interface ClockTrust {
  /** Undefined while nobody knows the time. */
  readonly known: Known | undefined;
  /** What the newest answer leaves possible for the offset. */
  readonly server: Bounds | undefined;
  /** An answer that says quite another time than is known: believed when a second one agrees with it. */
  readonly doubt: Bounds | undefined;
}

export const untrusted: ClockTrust = { known: undefined, server: undefined, doubt: undefined };

/** Off by more than this, the offset is set; by less, it moves. */
const stepLimitMs = 60_000;
/** Milliseconds for each that passes. */
const slewRate = 0.05;
/** A crystal that nobody disciplines, at its worst. */
const driftRate = 200e-6;
/** Answers that took longer, such as long polls, say too little. */
const longestTripMs = 60_000;
/** Servers that write a second's time into answers of the next. */
const toleranceMs = 1_000;

/** Unix time less boot clock, whole milliseconds; undefined while nobody knows the time. */
export function offsetAt({ known }: ClockTrust, nowMs: number): number | undefined {
  if (known === undefined) return undefined;
  const missing = known.targetMs - known.offsetMs;
  const most = Math.max(0, nowMs - known.anchorMs) * slewRate;
  return Math.round(known.offsetMs + Math.max(-most, Math.min(most, missing)));
}

/** @param wallOffsetMs the wall clock's own offset at that moment: it is taken over where the answer agrees with it */
export function heardServer(trust: ClockTrust, time: ServerTime, wallOffsetMs: number): ClockTrust {
  const tripMs = time.receivedMs - time.sentMs;
  if (tripMs < 0 || tripMs > longestTripMs) return trust;
  const bounds: Bounds = {
    lowMs: time.dateMs - time.receivedMs,
    highMs: time.dateMs + 1000 - time.sentMs,
    atMs: time.receivedMs,
  };
  const isWallRight = isWithin(wallOffsetMs, bounds, toleranceMs);
  const measuredMs = isWallRight ? wallOffsetMs : (bounds.lowMs + bounds.highMs) / 2;
  const { known } = trust;
  if (known === undefined || known.source === "assumed") {
    return { known: at(measuredMs, "murano", bounds.atMs), server: bounds, doubt: undefined };
  }
  const nearest = Math.max(bounds.lowMs, Math.min(bounds.highMs, known.targetMs));
  const currentMs = offsetAt(trust, bounds.atMs) ?? nearest;
  if (Math.abs(nearest - currentMs) <= stepLimitMs) {
    const source = known.source === "kept" ? "murano" : known.source;
    return { known: towards(trust, nearest, source, bounds.atMs), server: bounds, doubt: undefined };
  }
  const isConfirmed = trust.doubt !== undefined && overlap(trust.doubt, bounds);
  if (!isConfirmed) return { ...trust, doubt: bounds };
  return { known: at(measuredMs, "murano", bounds.atMs), server: bounds, doubt: undefined };
}

/** The system says that its clock is synchronised. Where Murano's answers say otherwise, it is not believed. */
export function heardSystem(trust: ClockTrust, nowMs: number, wallOffsetMs: number): ClockTrust {
  const { known, server } = trust;
  if (server !== undefined) {
    const driftMs = Math.max(0, nowMs - server.atMs) * driftRate;
    if (!isWithin(wallOffsetMs, server, toleranceMs + driftMs)) return trust;
  }
  const currentMs = offsetAt(trust, nowMs);
  const isFar = currentMs === undefined || Math.abs(wallOffsetMs - currentMs) > stepLimitMs;
  if (known === undefined || isFar) return { ...trust, known: at(wallOffsetMs, "system", nowMs) };
  return { ...trust, known: towards(trust, wallOffsetMs, "system", nowMs) };
}

/** An earlier run knew the offset of this very boot. */
export function kept(trust: ClockTrust, nowMs: number, offsetMs: number): ClockTrust {
  return trust.known === undefined ? { ...trust, known: at(offsetMs, "kept", nowMs) } : trust;
}

/** Nobody tells the time: better a plausible wall clock than data that never leave. */
export function assumed(trust: ClockTrust, nowMs: number, wallOffsetMs: number): ClockTrust {
  return trust.known === undefined ? { ...trust, known: at(wallOffsetMs, "assumed", nowMs) } : trust;
}

function at(exactMs: number, source: TimeSource, nowMs: number): Known {
  const offsetMs = Math.round(exactMs);
  return { source, offsetMs, targetMs: offsetMs, anchorMs: nowMs };
}

function towards(trust: ClockTrust, targetMs: number, source: TimeSource, nowMs: number): Known {
  const { known } = trust;
  if (known !== undefined && known.targetMs === targetMs && known.source === source) return known;
  return { source, offsetMs: offsetAt(trust, nowMs) ?? targetMs, targetMs, anchorMs: nowMs };
}

function isWithin(offsetMs: number, { lowMs, highMs }: Bounds, toleranceMs: number): boolean {
  return offsetMs >= lowMs - toleranceMs && offsetMs <= highMs + toleranceMs;
}

/** Of two answers near each other in time: drift does not matter, and a step of the server's clock does. */
function overlap(one: Bounds, other: Bounds): boolean {
  return one.lowMs - toleranceMs <= other.highMs && other.lowMs - toleranceMs <= one.highMs;
}
