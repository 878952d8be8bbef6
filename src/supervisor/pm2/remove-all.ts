import type { Pm2Entry, Pm2Port } from "./port.ts";

/** How long one entry may take: its app's time to stop is in pm2's own kill time-out. */
const removeTimeoutMs = 120_000;
const defaultPriority = 999;

/** Ends and forgets every entry as supervisord stops its programs: those of a higher priority first. */
export async function removeAll(pm2: Pick<Pm2Port, "list" | "remove">): Promise<void> {
  const classes = Map.groupBy(await pm2.list(), ({ priority }) => priority ?? defaultPriority);
  for (const [, entries] of [...classes].sort(([one], [other]) => other - one)) {
    await Promise.all(entries.map((entry: Pm2Entry) => pm2.remove(entry.id, removeTimeoutMs)));
  }
}
