import { reachS } from "./seconds.ts";

/**
 * How far the seconds will reach that writes in the backlog are going to get, by identity and alias. A live write goes
 * ahead of the backlog, yet behind what of its own alias waits there: several writes within a second move on into the
 * seconds that follow, and would otherwise come to lie behind it.
 *
 * In memory alone: after a restart it takes a second for the first write to come, and only an alias that was written
 * faster than once a second without end reaches beyond that. Bounded by how many aliases are written within a minute:
 * others are struck whenever their number has doubled.
 */
export class Frontier {
  private readonly reached = new Map<number, Map<string, number>>();
  private readonly roomyAliases: number;
  private aliases = 0;
  private sweepAt: number;

  /** @param roomyAliases up to so many are kept without a look at whether they are still of use */
  constructor(roomyAliases = 1024) {
    this.roomyAliases = roomyAliases;
    this.sweepAt = roomyAliases;
  }

  /** How many aliases it remembers. */
  get size(): number {
    return this.aliases;
  }

  /** A write joins the backlog; `own` is its second. Called in the order of acceptance. */
  note(identity: number, alias: string, own: number): void {
    const byAlias = this.of(identity);
    const before = byAlias.get(alias);
    // A clock that was set back begins anew.
    const isApart = before === undefined || before < own || before > own + reachS;
    const next = isApart ? own : before + 1;
    // One that finds no second becomes a dead letter and takes none.
    if (next > own + reachS) return;
    byAlias.set(alias, next);
    if (before !== undefined) return;
    this.aliases += 1;
    if (this.aliases > this.sweepAt) this.sweep(own);
  }

  /** What it was told of turned out to lie elsewhere in time. Rounded up: too far is safe. */
  shift(ms: number): void {
    const seconds = Math.ceil(ms / 1000);
    for (const byAlias of this.reached.values()) {
      for (const [alias, second] of byAlias) byAlias.set(alias, second + seconds);
    }
  }

  /** The first second that a live write may get. */
  after(identity: number, alias: string, own: number): number {
    const byAlias = this.reached.get(identity);
    const reached = byAlias?.get(alias);
    if (reached === undefined) return own;
    if (reached >= own && reached <= own + reachS) return reached + 1;
    // Time has passed it: nothing in the backlog comes near.
    byAlias?.delete(alias);
    this.aliases -= 1;
    return own;
  }

  private of(identity: number): Map<string, number> {
    let byAlias = this.reached.get(identity);
    if (byAlias === undefined) {
      byAlias = new Map();
      this.reached.set(identity, byAlias);
    }
    return byAlias;
  }

  /**
   * Strikes what no write from now on can meet, be its clock a minute off: what that minute has passed, or what lies
   * further ahead than a second may move on.
   */
  private sweep(now: number): void {
    this.aliases = 0;
    for (const [identity, byAlias] of this.reached) {
      for (const [alias, reached] of byAlias) {
        if (reached < now - reachS || reached > now + 2 * reachS) byAlias.delete(alias);
      }
      if (byAlias.size === 0) this.reached.delete(identity);
      this.aliases += byAlias.size;
    }
    this.sweepAt = Math.max(this.roomyAliases, 2 * this.aliases);
  }
}
