import type { Clock } from "../../core/clock.ts";
import { InvariantError } from "../../core/errors.ts";
import type { AppendRequest, Lane } from "../types.ts";
import { laneOf } from "./chunk.ts";
import { isRefusal } from "./intake.ts";
import type { Session } from "./session.ts";

/** What came of a member of a commit, once the commit has held. */
type Outcome = { readonly error: unknown } | { readonly value: unknown };

interface Append {
  readonly request: AppendRequest;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Work {
  readonly run: (session: Session) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface GroupCommitDependencies {
  /** The session to commit in. @throws QueueUnavailableError while there is none */
  readonly session: () => Session;
  /** The commit did not hold. @returns what to tell those who wait */
  readonly failed: (error: unknown) => unknown;
  /** Entries were added to these lanes. */
  readonly appended: (identityId: number, lane: Lane) => void;
  readonly committed: (durationMs: number, appends: number) => void;
  readonly clock: Pick<Clock, "monotonic">;
}

/**
 * Commits what arrives in one turn of the event loop in one transaction, and answers after it. Load makes the groups:
 * nobody waits for a timer, and while one group is being written the next gathers in the sockets.
 */
export class GroupCommit {
  private readonly parts: GroupCommitDependencies;
  private appends: Append[] = [];
  private works: Work[] = [];
  private isScheduled = false;

  constructor(parts: GroupCommitDependencies) {
    this.parts = parts;
  }

  append(request: AppendRequest): Promise<void> {
    return new Promise((resolve, reject) => {
      this.appends.push({ request, resolve, reject });
      this.schedule();
    });
  }

  run<Value>(run: (session: Session) => Value): Promise<Value> {
    return new Promise((resolve, reject) => {
      this.works.push({ run, resolve: resolve as (value: unknown) => void, reject });
      this.schedule();
    });
  }

  /** Commits now what has gathered. */
  flush(): void {
    const { appends, works } = this;
    if (appends.length === 0 && works.length === 0) return;
    this.appends = [];
    this.works = [];
    const members = [...appends, ...works];
    const touched = new Set<number>();
    let outcomes: Outcome[];
    try {
      outcomes = this.commit(appends, works, touched);
    } catch (error) {
      const reason = this.parts.failed(error);
      for (const { reject } of members) reject(reason);
      return;
    }
    for (const [index, member] of members.entries()) {
      const outcome = outcomes[index];
      if (outcome === undefined) member.reject(new InvariantError("a member of a commit was left out"));
      else if ("error" in outcome) member.reject(outcome.error);
      else member.resolve(outcome.value as undefined);
    }
    for (const key of touched) this.parts.appended(key >> 1, laneOf(key & 1));
  }

  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      this.flush();
    });
  }

  private commit(appends: readonly Append[], works: readonly Work[], touched: Set<number>): Outcome[] {
    const { clock, session: current, committed } = this.parts;
    const startedMs = clock.monotonic();
    const session = current();
    const outcomes: Outcome[] = [];
    try {
      session.begin();
      for (const { request } of appends) {
        outcomes.push(
          attempt(() => {
            const { identity, lane } = session.intake.take(request);
            touched.add(identity * 2 + lane);
          }),
        );
      }
      // What the forwarder takes and drops must see them in the table.
      session.intake.finish();
      for (const { run } of works) outcomes.push(attempt(() => run(session)));
      session.commit();
    } catch (error) {
      session.rollback();
      throw error;
    }
    committed(clock.monotonic() - startedMs, appends.length);
    return outcomes;
  }
}

/** A refusal leaves everything as it was and concerns one member; any other error ends the whole. */
function attempt(run: () => unknown): Outcome {
  try {
    return { value: run() };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return { error };
  }
}
