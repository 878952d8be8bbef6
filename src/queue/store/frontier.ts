import { reachS } from "./seconds.ts";

/**
 * How far the seconds will reach that writes in the backlog are going to get, by identity and alias. A live write goes
 * ahead of the backlog, yet behind what of its own alias waits there: several writes within a second move on into the
 * seconds that follow, and would otherwise come to lie behind it.
 *
 * In memory alone: after a restart it takes a second for the first write to come, and only an alias that was written
 * faster than once a second without end reaches beyond that.
 */
export class Frontier {
  private readonly reached = new Map<string, number>();

  /** A write joins the backlog; `own` is its second. Called in the order of acceptance. */
  note(identity: number, alias: string, own: number): void {
    const key = keyOf(identity, alias);
    const before = this.reached.get(key);
    // A clock that was set back begins anew.
    const isApart = before === undefined || before < own || before > own + reachS;
    const next = isApart ? own : before + 1;
    // One that finds no second becomes a dead letter and takes none.
    if (next <= own + reachS) this.reached.set(key, next);
  }

  /** What it was told of turned out to lie elsewhere in time. Rounded up: too far is safe. */
  shift(ms: number): void {
    const seconds = Math.ceil(ms / 1000);
    for (const [key, second] of this.reached) this.reached.set(key, second + seconds);
  }

  /** The first second that a live write may get. */
  after(identity: number, alias: string, own: number): number {
    const key = keyOf(identity, alias);
    const reached = this.reached.get(key);
    if (reached === undefined) return own;
    if (reached >= own && reached <= own + reachS) return reached + 1;
    // Time has passed it: nothing in the backlog comes near.
    this.reached.delete(key);
    return own;
  }
}

function keyOf(identity: number, alias: string): string {
  return `${identity} ${alias}`;
}
