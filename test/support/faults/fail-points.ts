import type { Fault } from "./fault-layer.ts";
import { JobSite, type PhasedCall } from "./job-site.ts";
import type { Scenario } from "./scenarios.ts";
import {
  judgeError,
  judgeKill,
  judgeNextStart,
  registeredTrouble,
  type Verdict,
  wholeTrees,
} from "./verdict.ts";

/** One fault at one call, and what came of it. */
export interface FailPoint {
  readonly scenario: string;
  /** The call's number in the run, and what it is; `phase: process call path`. */
  readonly n: number;
  readonly name: string;
  readonly verdict: Verdict;
}

export type FaultKind = "kill" | "half" | "EIO" | "ENOSPC" | "EROFS" | "read EIO";

export interface Plan {
  readonly scenario: Scenario;
  readonly kind: FaultKind;
  /** For how many calls errors go on. */
  readonly span?: number;
  /** Only each so many-th call, beginning with that one (from 1). */
  readonly stride?: number;
  readonly first?: number;
  /** How many run side by side. */
  readonly workers?: number;
}

/**
 * Runs the scenario once to count its calls, then once for each of them with the fault there, on to the first run that
 * the fault no longer meets. Every run begins anew.
 */
export async function runFailPoints(plan: Plan): Promise<readonly FailPoint[]> {
  const { stride = 1, first = 1, workers = 2 } = plan;
  const points: FailPoint[] = [];
  let next = first;
  let isPast = false;
  const work = async (): Promise<void> => {
    using runner = await PointRunner.prepare(plan);
    while (!isPast) {
      const n = next;
      next += stride;
      const point = await runner.at(n);
      if (point === undefined) isPast = n > runner.count;
      else if (point !== "not this kind") points.push(point);
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return points.sort((a, b) => a.n - b.n);
}

class PointRunner implements Disposable {
  private readonly plan: Plan;
  private readonly site: JobSite;
  private readonly whole: ReturnType<typeof wholeTrees>;
  private readonly calls: readonly PhasedCall[];

  private constructor(plan: Plan, site: JobSite, calls: readonly PhasedCall[]) {
    this.plan = plan;
    this.site = site;
    this.whole = wholeTrees(site);
    this.calls = calls;
  }

  static async prepare(plan: Plan): Promise<PointRunner> {
    const site = await JobSite.prepare(plan.scenario);
    const { end, complaints, calls, result } = await site.run({ calls: countedBy(plan.kind) });
    const status = result?.reports[0]?.status;
    if (end !== 0 || status !== plan.scenario.status) {
      throw new TypeError(`${plan.scenario.name} without a fault: ${end} ${status} ${complaints}`);
    }
    return new PointRunner(plan, site, calls);
  }

  get count(): number {
    return this.calls.length;
  }

  /** undefined: the run has no n-th call. */
  async at(n: number): Promise<FailPoint | "not this kind" | undefined> {
    const { plan, site, whole } = this;
    // Half of anything but a write is none of it, and that is a kill.
    if (plan.kind === "half" && !(this.calls[n - 1]?.name.includes(" write ") ?? true))
      return "not this kind";
    site.reset();
    const run = await site.run({ fault: this.fault(n), calls: countedBy(plan.kind) });
    const call = run.calls.find((candidate) => candidate.n === n);
    if (call === undefined) return undefined;
    const point = (verdict: Verdict): FailPoint => ({
      scenario: plan.scenario.name,
      n,
      name: call.name,
      verdict,
    });
    const trouble = registeredTrouble(site, whole);
    if (trouble !== undefined) return point({ violation: `right after the fault: ${trouble}` });
    if (plan.kind === "kill" || plan.kind === "half") {
      if (run.end !== "SIGKILL") return point({ violation: `not killed: ${run.end} ${run.complaints}` });
      return point(judgeKill(site, await site.run(), whole, call.phase));
    }
    return point(await this.judgeErrors(run, call));
  }

  private async judgeErrors(run: Awaited<ReturnType<JobSite["run"]>>, call: PhasedCall): Promise<Verdict> {
    const { site, whole } = this;
    // An engine that cannot open its database says so and ends; systemd starts it again.
    const isStart = call.phase === "start" && typeof run.end === "number" && run.end !== 0;
    const verdict: Verdict = isStart ? { outcome: "did not start" } : judgeError(site, run, whole);
    const again = await site.run();
    const after = judgeNextStart(site, again, whole);
    if ("violation" in after) return { violation: `at the next start: ${after.violation}` };
    return isStart ? { outcome: `did not start; at the next start ${after.outcome}` } : verdict;
  }

  private fault(n: number): Fault {
    const { kind, span = 1 } = this.plan;
    if (kind === "kill" || kind === "half") return { at: n, what: { kind } };
    const errno = kind === "read EIO" ? "EIO" : kind;
    return { at: n, span, what: { kind: "error", errno } };
  }

  [Symbol.dispose](): void {
    this.site[Symbol.dispose]();
  }
}

function countedBy(kind: FaultKind): "changes" | "reads" {
  return kind === "read EIO" ? "reads" : "changes";
}
