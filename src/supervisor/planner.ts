import type { ProcessIdentity } from "../platform/process-table.ts";
import type { LauncherState } from "./launcher/state-file.ts";
import type { Pm2Entry } from "./pm2/port.ts";

/** What one app should be. Undefined: it should not be there at all. */
export interface WantedApp {
  readonly generation: number;
  readonly run: boolean;
}

/** What there is of one app, whoever left it. */
export interface ObservedApp {
  readonly entries: readonly Pm2Entry[];
  /** What a launcher of this boot noted last. */
  readonly state: LauncherState | undefined;
  /** Of those that launchers noted, the ones that still live. */
  readonly launcher: ProcessIdentity | undefined;
  readonly child: ProcessIdentity | undefined;
}

export type Step =
  /** pm2 stops the entry's launcher, which stops the app, and forgets it. */
  | { readonly kind: "remove"; readonly id: number }
  /** Processes that pm2 doesn't know (any more) are waited for, then ended. */
  | { readonly kind: "end-strays"; readonly processes: readonly ProcessIdentity[] }
  | { readonly kind: "start"; readonly generation: number }
  /** The app's files in the run directory go. */
  | { readonly kind: "forget" };

/**
 * What to do so that one app runs exactly once, in the wanted generation, or not at all. Carried out, the steps lead
 * to an observation for which there is nothing to do; in between, never do two processes of the app run.
 */
export function planApp(wanted: WantedApp | undefined, observed: ObservedApp): readonly Step[] {
  const kept = wanted?.run
    ? observed.entries.find((entry) => isAsWanted(entry, wanted, observed))
    : undefined;
  const removed = observed.entries.filter((entry) => entry !== kept);
  const steps: Step[] = removed.map(({ id }) => ({ kind: "remove", id }));
  const strays = kept === undefined ? living(observed) : straysBeside(kept, observed);
  if (strays.length > 0) steps.push({ kind: "end-strays", processes: strays });
  if (wanted === undefined) steps.push({ kind: "forget" });
  else if (wanted.run && kept === undefined && !isThrough(wanted, observed)) {
    steps.push({ kind: "start", generation: wanted.generation });
  }
  return steps;
}

/** The policy has come to its end for this generation: supervisord wouldn't start it again either. */
function isThrough(wanted: WantedApp, { state }: ObservedApp): boolean {
  return state?.final === true && state.generation === wanted.generation;
}

function isAsWanted(entry: Pm2Entry, wanted: WantedApp, observed: ObservedApp): boolean {
  if (entry.generation !== wanted.generation) return false;
  if (["online", "launching", "waiting restart"].includes(entry.status)) return true;
  return entry.status === "stopped" && isThrough(wanted, observed);
}

function living({ launcher, child }: ObservedApp): readonly ProcessIdentity[] {
  return [launcher, child].filter((process) => process !== undefined);
}

/** A launcher other than the entry's is an orphan; the entry's own ends what an earlier one left. */
function straysBeside(kept: Pm2Entry, { launcher }: ObservedApp): readonly ProcessIdentity[] {
  const isOrphan = launcher !== undefined && kept.pid !== undefined && launcher.pid !== kept.pid;
  return isOrphan ? [launcher] : [];
}
