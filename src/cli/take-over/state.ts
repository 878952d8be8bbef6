import { existsSync, readFileSync } from "node:fs";
import * as z from "zod/mini";
import type { Paths } from "../../config/index.ts";
import { ensureDirectory, writeFileAtomic } from "../../platform/files.ts";
import { CommandError } from "../errors.ts";

/**
 * - `prepared`: all is placed beside the original, which runs on
 * - `switching`: the original is being stopped, and this engine started
 * - `trial`: this engine runs, and has to check in
 * - `committed`, `restored`: the end
 * - `restoring`: the original is being put back
 */
const phases = ["prepared", "switching", "trial", "committed", "restoring", "restored"] as const;

const schema = z.object({
  phase: z.enum(phases),
  /** Milliseconds that the trial has taken so far, over all processes and boots. */
  trialMs: z.number(),
  /** For a check-in, and for the applications to be installed. */
  limitMs: z.number(),
  /** Seconds for the original to report that the package is installed. */
  delayS: z.number(),
  /** The program that speaks to supervisord. Absolute. */
  supervisorctl: z.string(),
  /** supervisord's unit, where it is to be switched off because nothing is left for it to run. */
  supervisorUnit: z.nullable(z.string()),
  /** Files that are the original's alone: they are kept beside. Absolute. */
  files: z.array(z.string()),
  /** The original's `Gateway.cfg`. */
  originalCfg: z.string(),
  apps: z.array(z.string()),
  /** Processes as supervisord had them; null until that was asked, before the first is stopped. */
  formerStates: z.nullable(z.record(z.string(), z.string())),
  /** Why it is being restored; empty as long as it is not. */
  reason: z.string(),
});

export type TakeOver = z.infer<typeof schema>;
export type Phase = TakeOver["phase"];

/** Keeps what the take-over is at, so that a power cut in the middle of it is no harm. */
export class TakeOverJournal {
  readonly directory: string;
  private readonly file: string;

  constructor({ libDir }: Pick<Paths, "libDir">) {
    this.directory = `${libDir}/take-over`;
    this.file = `${this.directory}/state.json`;
  }

  /** Where a file of the original is kept meanwhile. */
  kept(path: string): string {
    return `${this.directory}/original${path}`;
  }

  /** Undefined where there is none. @throws CommandError when it is not understood */
  load(): TakeOver | undefined {
    if (!existsSync(this.file)) return undefined;
    const parsed = schema.safeParse(JSON.parse(readFileSync(this.file, "utf8")));
    if (parsed.success) return parsed.data;
    throw new CommandError(`${this.file} is not understood`, { cause: parsed.error });
  }

  /** Durable when it returns. */
  save(state: TakeOver): void {
    ensureDirectory(this.directory, 0o700);
    writeFileAtomic(this.file, `${JSON.stringify(state, null, 1)}\n`, { mode: 0o600 });
  }
}

/** What is to be done next, from what is known. */
export type Decision =
  | { readonly kind: "wait" }
  | { readonly kind: "commit" }
  | { readonly kind: "restore"; readonly reason: string };

export interface EngineFacts {
  readonly hasCheckedIn: boolean;
  /** What the last check-in failed of; null where it did not, or was not made. */
  readonly trouble: string | null;
  /** Of those that were taken over. */
  readonly appsMissing: readonly string[];
}

export interface TrialFacts extends EngineFacts {
  readonly trialMs: number;
  readonly limitMs: number;
}

export function judgeTrial({ trialMs, limitMs, hasCheckedIn, trouble, appsMissing }: TrialFacts): Decision {
  if (hasCheckedIn && appsMissing.length === 0) return { kind: "commit" };
  if (trialMs < limitMs) return { kind: "wait" };
  const within =
    limitMs < 120_000 ? `within ${limitMs / 1000} seconds` : `within ${limitMs / 60_000} minutes`;
  return {
    kind: "restore",
    reason: hasCheckedIn
      ? `${appsMissing.join(", ")} could not be taken over ${within}`
      : `no check-in succeeded ${within}${trouble === null ? "" : `: ${trouble}`}`,
  };
}

export function describeLimit(limitMs: number): string {
  return limitMs < 120_000 ? `${limitMs / 1000} seconds` : `${limitMs / 60_000} minutes`;
}
