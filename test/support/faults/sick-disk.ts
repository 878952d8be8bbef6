import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../eventually.ts";
import { SmallDisk } from "../small-disk.ts";
import type { FailPoint } from "./fail-points.ts";
import { type JobRun, JobSite } from "./job-site.ts";
import type { Scenario } from "./scenarios.ts";
import {
  judgeError,
  judgeKill,
  judgeNextStart,
  registeredTrouble,
  type Verdict,
  type WholeTrees,
  wholeTrees,
} from "./verdict.ts";

/**
 * What becomes of the disk, by the kernel's own doing:
 * - `full`: somebody takes all that is free, and gives it back when the engine has begun to wait
 * - `read-only`: as after an error in the file system's own data
 * - `dead`: EIO for everything; what was not synced is lost, as in a power cut
 */
export type Sickness = "full" | "read-only" | "dead";

export interface SickDiskPlan {
  readonly scenario: Scenario;
  readonly sickness: Sickness;
  readonly stride?: number;
  readonly first?: number;
}

const waiting = 75;

/** As `runFailPoints`, on a small disk; undefined where none can be made. */
export async function runSickDisk(plan: SickDiskPlan): Promise<readonly FailPoint[] | undefined> {
  const { scenario, stride = 1, first = 1 } = plan;
  using disk = SmallDisk.make(24);
  if (disk === undefined) return undefined;
  using site = await JobSite.prepare(scenario, join(disk.mount, "home"));
  const { calls, end, complaints } = await site.run();
  if (end !== 0) throw new TypeError(`without a fault: ${complaints}`);
  const trial = new Trial(plan.sickness, site, disk, wholeTrees(site));
  const points: FailPoint[] = [];
  for (let n = first; ; n += stride) {
    const point = await trial.at(n);
    if (point !== undefined) points.push({ ...point, scenario: scenario.name, n });
    else if (n > calls.length) return points;
  }
}

class Trial {
  private readonly sickness: Sickness;
  private readonly site: JobSite;
  private readonly disk: SmallDisk;
  private readonly whole: WholeTrees;

  constructor(sickness: Sickness, site: JobSite, disk: SmallDisk, whole: WholeTrees) {
    this.sickness = sickness;
    this.site = site;
    this.disk = disk;
    this.whole = whole;
  }

  async at(n: number): Promise<{ readonly name: string; readonly verdict: Verdict } | undefined> {
    const { site, disk, sickness } = this;
    site.reset();
    // Else what the reset wrote would be lost with what the job wrote.
    disk.sync();
    const run = await site.run({
      fault: { at: n, what: { kind: "run", command: `${this.command()}; touch '${this.doneMark}'` } },
      ...(sickness === "full" ? { ballastFile: this.ballastFile } : { patience: 12 }),
    });
    const call = run.calls.find((candidate) => candidate.n === n);
    // An engine that ends does not wait for what another of its threads is waiting for.
    if (call !== undefined) await eventually("the disk to be sick", () => existsSync(this.doneMark));
    rmSync(this.doneMark, { force: true });
    if (sickness === "full") rmSync(this.ballastFile, { force: true });
    else if (call !== undefined) await disk.repair();
    if (call === undefined) return undefined;
    const trouble = registeredTrouble(site, this.whole);
    if (trouble !== undefined)
      return { name: call.name, verdict: { violation: `after the fault: ${trouble}` } };
    const verdict = sickness === "full" ? await this.judgeFull(run) : await this.judgeGone(run, call.phase);
    return { name: call.name, verdict };
  }

  private async judgeFull(run: JobRun): Promise<Verdict> {
    const { site, whole } = this;
    const didNotStart = run.calls.at(-1)?.phase === "start" && typeof run.end === "number" && run.end !== 0;
    const verdict: Verdict = didNotStart ? { outcome: "did not start" } : judgeError(site, run, whole);
    const after = judgeNextStart(site, await site.run(), whole);
    if ("violation" in after) return { violation: `at the next start: ${after.violation}` };
    return didNotStart ? { outcome: `did not start; at the next start ${after.outcome}` } : verdict;
  }

  /** The disk is back; nothing that the engine met meanwhile can have been noted on it. */
  private async judgeGone(run: JobRun, phase: string): Promise<Verdict> {
    const { site, whole } = this;
    const isStart = run.calls.at(-1)?.phase === "start";
    const during =
      run.end === waiting ? "waits" : run.end === 0 ? "done" : isStart ? "does not start" : run.end;
    // What it maps into its memory from a disk that is gone, no program can read.
    const isBearable = typeof during === "string" && (during !== "SIGBUS" || this.sickness === "dead");
    if (!isBearable) return { violation: `ended with ${run.end}: ${run.complaints.slice(-1_500)}` };
    const after = judgeKill(site, await site.run(), whole, phase);
    if ("violation" in after) return { violation: `with the disk back: ${after.violation}` };
    return { outcome: `${during}; with the disk back ${after.outcome}` };
  }

  private get ballastFile(): string {
    return join(this.disk.mount, "ballast");
  }

  private get doneMark(): string {
    return join(this.site.directory, "sick");
  }

  private command(): string {
    switch (this.sickness) {
      case "full":
        return `for size in 64k 4k 1k; do dd if=/dev/zero bs=$size >> '${this.ballastFile}' 2>/dev/null; done`;
      case "read-only":
        return `echo 1 > /sys/fs/ext4/${this.disk.device}/trigger_fs_error`;
      case "dead":
        // EXT4_IOC_SHUTDOWN without flushing the log.
        return `python3 -c 'import fcntl,os;fcntl.ioctl(os.open("${this.disk.mount}",0),0x8004587d,b"\\2\\0\\0\\0")'`;
    }
  }
}
