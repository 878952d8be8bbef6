import type { Histogram } from "../../core/prometheus.ts";

const boundsS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** How long commits took. */
export class CommitTimes {
  private readonly counts = new Array<number>(boundsS.length).fill(0);
  private sumS = 0;
  private count = 0;

  add(durationMs: number): void {
    const seconds = durationMs / 1000;
    this.sumS += seconds;
    this.count += 1;
    const index = boundsS.findIndex((bound) => seconds <= bound);
    if (index >= 0) this.counts[index] = (this.counts[index] ?? 0) + 1;
  }

  histogram(): Histogram {
    let sum = 0;
    const buckets = boundsS.map((upToS, index) => {
      sum += this.counts[index] ?? 0;
      return { upToS, count: sum };
    });
    return { buckets, sumS: this.sumS, count: this.count };
  }
}
