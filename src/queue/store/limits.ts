import type { DropCause, LimitSet, QueueLimits } from "../types.ts";
import type { Amount } from "./ledger.ts";

const defaultPriority = 5;

/** What is in the way of an amount under a limit; undefined when nothing is. */
export interface Shortage extends Amount {
  readonly cause: DropCause;
}

/** What must go before `added` fits. */
export function shortage(present: Amount, added: Amount, limit: LimitSet): Shortage | undefined {
  const entries = Math.max(0, present.entries + added.entries - limit.maxEntries);
  const bytes = Math.max(0, present.bytes + added.bytes - limit.maxBytes);
  if (entries === 0 && bytes === 0) return undefined;
  return { entries, bytes, cause: entries > 0 ? "entries" : "bytes" };
}

/** Not even an empty queue would take it. */
export function canNeverFit(added: Amount, limit: LimitSet): boolean {
  return added.entries > limit.maxEntries || added.bytes > limit.maxBytes;
}

/** The shortest age that either limit allows, milliseconds; undefined when both keep entries for ever. */
export function shortestAgeMs(limits: QueueLimits): number | undefined {
  const ages = [limits.maxAgeMs, limits.perIdentity.maxAgeMs].filter((age) => age !== undefined);
  return ages.length === 0 ? undefined : Math.min(...ages);
}

/** @returns the priority of each alias */
export function priorities(byName: ReadonlyMap<string, number>): (alias: string) => number {
  if (byName.size === 0) return () => defaultPriority;
  const prefixes = [...byName]
    .filter(([name]) => name.endsWith("*"))
    .map(([name, priority]) => ({ prefix: name.slice(0, -1), priority }))
    // The longest that matches says most.
    .sort((a, b) => b.prefix.length - a.prefix.length);
  return (alias) =>
    byName.get(alias) ?? prefixes.find(({ prefix }) => alias.startsWith(prefix))?.priority ?? defaultPriority;
}
