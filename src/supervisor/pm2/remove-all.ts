import type { Pm2Entry, Pm2Port } from "./port.ts";

/** How long one entry may take: its app's time to stop is in pm2's own kill time-out. */
const removeTimeoutMs = 120_000;
const defaultPriority = 999;

/** Ends and forgets entries as supervisord stops its programs: those of a higher priority first. */
export async function removeAll(pm2: Pick<Pm2Port, "remove">, entries: readonly Pm2Entry[]): Promise<void> {
  const classes = Map.groupBy(entries, ({ priority }) => priority ?? defaultPriority);
  for (const [, group] of [...classes].sort(([one], [other]) => other - one)) {
    await Promise.all(group.map(({ id }) => pm2.remove(id, removeTimeoutMs)));
  }
}
