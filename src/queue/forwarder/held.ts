import type { Hold } from "../../core/hold.ts";
import type { Lane, Waiting } from "../types.ts";

/** Whether only urgent entries of a lane may go. */
export function isUrgentOnly(hold: Hold, lane: Lane): boolean {
  return hold === "all-but-urgent" || (hold === "backlog" && lane === "backlog");
}

/** What of that which waits may go; lanes that hold nothing of it are left out. */
export function sendable(waiting: readonly Waiting[], hold: Hold): readonly Waiting[] {
  return waiting.flatMap((one) => {
    if (!isUrgentOnly(hold, one.lane)) return [one];
    return one.urgentEntries === 0 ? [] : [{ ...one, entries: one.urgentEntries }];
  });
}
