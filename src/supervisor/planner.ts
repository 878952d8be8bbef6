import type { ProcessIdentity } from "../platform/process-table.ts";
import type { LauncherState } from "./launcher/state-file.ts";
import type { Pm2Entry } from "./pm2/port.ts";

/** What one process of an app should be. Undefined: it should not be there at all. */
export interface WantedProcess {
  readonly generation: number;
  readonly run: boolean;
  /** It gave up (FATAL) so long ago that it is to be tried again. */
  readonly retryDue: boolean;
}

/** What there is of one process, whoever left it. */
export interface ObservedProcess {
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
  /** Its files in the run directory go. */
  | { readonly kind: "forget" };

/**
 * What to do so that one process of an app runs exactly once, in the wanted generation, or not at all. Carried out, the
 * steps lead to an observation for which there is nothing to do; in between, never do two of it run.
 */
export function planProcess(wanted: WantedProcess | undefined, observed: ObservedProcess): readonly Step[] {
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
function isThrough(wanted: WantedProcess, { state }: ObservedProcess): boolean {
  if (state?.state === "FATAL" && wanted.retryDue) return false;
  return state?.final === true && state.generation === wanted.generation;
}

function isAsWanted(entry: Pm2Entry, wanted: WantedProcess, observed: ObservedProcess): boolean {
  if (entry.generation !== wanted.generation) return false;
  if (["online", "launching", "waiting restart"].includes(entry.status)) return true;
  return entry.status === "stopped" && isThrough(wanted, observed);
}

function living({ launcher, child }: ObservedProcess): readonly ProcessIdentity[] {
  return [launcher, child].filter((process) => process !== undefined);
}

/** A launcher other than the entry's is an orphan; the entry's own ends what an earlier one left. */
function straysBeside(kept: Pm2Entry, { launcher }: ObservedProcess): readonly ProcessIdentity[] {
  const isOrphan = launcher !== undefined && kept.pid !== undefined && launcher.pid !== kept.pid;
  return isOrphan ? [launcher] : [];
}
