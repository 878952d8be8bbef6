import type { Clock } from "../../core/clock.ts";
import type { QueueUnavailableError } from "../errors.ts";
import type { AppendRequest, Lane } from "../types.ts";
import { laneOf } from "./chunk.ts";
import { isRefusal } from "./intake.ts";
import type { Session } from "./session.ts";

/** What came of the members of a commit that has held. */
interface Outcomes {
  /** Those that limits refused, and why. */
  readonly refusals: ReadonlyMap<Append | Work, unknown>;
  /** Of each work. */
  readonly values: readonly unknown[];
  /** Lanes that got something: twice the identity, and the lane. */
  readonly touched: ReadonlySet<number>;
}

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
  /** Why nothing new can be taken at present, whereas what makes room can be done. */
  readonly refusal: () => QueueUnavailableError | undefined;
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
    let outcomes: Outcomes;
    try {
      outcomes = this.commit(appends, works);
    } catch (error) {
      const reason = this.parts.failed(error);
      for (const { reject } of appends) reject(reason);
      for (const { reject } of works) reject(reason);
      return;
    }
    const { refusals, values, touched } = outcomes;
    for (const append of appends) {
      if (refusals.size > 0 && refusals.has(append)) append.reject(refusals.get(append));
      else append.resolve();
    }
    for (const [index, work] of works.entries()) {
      if (refusals.has(work)) work.reject(refusals.get(work));
      else work.resolve(values[index]);
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

  private commit(appends: readonly Append[], works: readonly Work[]): Outcomes {
    const { clock, session: current, committed } = this.parts;
    const startedMs = clock.monotonic();
    const session = current();
    const refusals = new Map<Append | Work, unknown>();
    const values: unknown[] = [];
    const touched = new Set<number>();
    try {
      session.begin();
      const refused = appends.length > 0 ? this.parts.refusal() : undefined;
      for (const append of appends) {
        if (refused !== undefined) {
          refusals.set(append, refused);
          continue;
        }
        try {
          const { identity, lane } = session.intake.take(append.request);
          touched.add(identity * 2 + lane);
        } catch (error) {
          refusals.set(append, refusal(error));
        }
      }
      // What the forwarder takes and drops must see them in the table.
      session.intake.finish();
      for (const [index, work] of works.entries()) {
        try {
          values[index] = work.run(session);
        } catch (error) {
          refusals.set(work, refusal(error));
        }
      }
      session.commit();
    } catch (error) {
      session.rollback();
      throw error;
    }
    committed(clock.monotonic() - startedMs, appends.length);
    return { refusals, values, touched };
  }
}

/** One leaves everything as it was and concerns one member; any other error ends the whole. @throws such an error */
function refusal(error: unknown): unknown {
  if (!isRefusal(error)) throw error;
  return error;
}
