/** What was acknowledged to the apps, and whether Murano holds exactly that. */

export interface Acknowledged {
  readonly value: string;
  readonly timeMs: number;
}

export interface Verdict {
  readonly acknowledged: number;
  readonly delivered: number;
  /** Delivered at another second than their own. */
  readonly moved: number;
  readonly tooDense: number;
  /** What is wrong, in words; empty when all is well. */
  readonly faults: readonly string[];
}

const farthestMoveS = 60;

export class Ledger {
  private readonly series = new Map<string, Acknowledged[]>();
  /** Neither promised nor refused: it may be there. */
  private readonly permitted = new Set<string>();

  /** Called when the queue has promised it. */
  note(device: string, alias: string, acknowledged: Acknowledged): void {
    const key = `${device}/${alias}`;
    const known = this.series.get(key);
    if (known === undefined) this.series.set(key, [acknowledged]);
    else known.push(acknowledged);
  }

  /** No answer came: the queue may have it or not. */
  permit(device: string, alias: string, value: string): void {
    this.permitted.add(`${device}/${alias}/${value}`);
  }

  /**
   * @param history every point that Murano holds of an alias, oldest first
   * @param dead `<device>/<value>` of what was set aside as too dense
   */
  async check(
    history: (device: string, alias: string) => Promise<readonly (readonly [number, string])[]>,
    dead: ReadonlySet<string>,
  ): Promise<Verdict> {
    const faults: string[] = [];
    const sums = { acknowledged: 0, delivered: 0, moved: 0 };
    for (const [key, promised] of this.series) {
      const [device = "", alias = ""] = key.split("/");
      const held = await history(device, alias);
      const seconds = new Map<string, number>();
      for (const [at, value] of held) {
        if (seconds.has(value)) faults.push(`${key}: ${value} is there twice`);
        seconds.set(value, at);
      }
      let last: { readonly at: number; readonly value: string } | undefined;
      for (const { value, timeMs } of promised) {
        const at = seconds.get(value);
        seconds.delete(value);
        if (dead.has(`${device}/${value}`)) {
          if (at !== undefined) faults.push(`${key}: ${value} is a dead letter, and delivered`);
          continue;
        }
        if (at === undefined) {
          faults.push(`${key}: ${value} is lost`);
          continue;
        }
        const movedS = at - Math.floor(timeMs / 1000);
        if (movedS < 0 || movedS > farthestMoveS)
          faults.push(`${key}: ${value} is ${movedS} s from its time`);
        if (last !== undefined && at <= last.at) faults.push(`${key}: ${value} comes before ${last.value}`);
        if (movedS !== 0) sums.moved += 1;
        last = { at, value };
        sums.delivered += 1;
      }
      sums.acknowledged += promised.length;
      for (const value of seconds.keys()) {
        if (!this.permitted.has(`${key}/${value}`)) faults.push(`${key}: ${value} was never acknowledged`);
      }
    }
    return { ...sums, tooDense: dead.size, faults };
  }
}
