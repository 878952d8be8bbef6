import { bootId } from "./process-table.ts";

/** Time since this boot of the machine, the same for all its processes; it stands still while the machine sleeps. */
export function openBootClock(): { readonly bootId: string; sinceBootMs(): number } {
  return { bootId: bootId(), sinceBootMs: () => Number(process.hrtime.bigint() / 1000n) / 1000 };
}
