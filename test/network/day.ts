/** What happens to the link and to Murano in the course of a day, the same for the same seed. Pure. */
import type { Random } from "../../src/core/clock.ts";
import { type LinkMode, linkModes } from "./bad-link.ts";

/** What Murano itself does wrong, while the link is well. */
const serverTroubles = [
  /** 503 to everything. */
  "server-error",
  /** 429 with a Retry-After. */
  "rate-limited",
  /** Processed, but the answer gets lost. */
  "lost-answers",
  /** The CIKs are void, and activation is open. */
  "void-ciks",
  /** The CIKs are void, and activation is closed until the end of the trouble. */
  "closed-activation",
] as const;
export type ServerTrouble = (typeof serverTroubles)[number];

export type Trouble = Exclude<LinkMode, "ok"> | ServerTrouble;

export interface Phase {
  readonly startMs: number;
  readonly endMs: number;
  readonly trouble: Trouble | "none";
}

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

const troubles: readonly Trouble[] = [
  ...linkModes.filter((mode): mode is Exclude<LinkMode, "ok"> => mode !== "ok"),
  ...serverTroubles,
];

/** Troubles and quiet times in turn; every trouble comes before one comes again. */
export function planDay(lengthMs: number, random: Random): readonly Phase[] {
  const between = (least: number, most: number): number => Math.round(least + random() * (most - least));
  const phases: Phase[] = [];
  // A short run has room for all of them too.
  const scale = Math.min(1, lengthMs / (12 * hour));
  let waiting: Trouble[] = [];
  for (let atMs = 0; atMs < lengthMs; ) {
    const quietMs = between(10 * second, 20 * minute * scale + 10 * second);
    phases.push({ startMs: atMs, endMs: atMs + quietMs, trouble: "none" });
    atMs += quietMs;
    if (waiting.length === 0) waiting = [...troubles];
    const [trouble = "cut"] = waiting.splice(Math.floor(random() * waiting.length), 1);
    const lasts =
      trouble === "cut" ? between(3 * second, 4 * hour * scale) : between(5 * second, 15 * minute * scale);
    phases.push({ startMs: atMs, endMs: atMs + lasts, trouble });
    atMs += lasts;
  }
  return phases.filter(({ startMs }) => startMs < lengthMs);
}
