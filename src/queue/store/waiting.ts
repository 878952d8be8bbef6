import type { Waiting } from "../types.ts";
import { urgentPriority } from "../urgent.ts";
import { laneOf } from "./chunk.ts";
import type { Session } from "./session.ts";

/** What waits, by identity and lane. */
export function waitingIn(
  { ledger, chunks, boots }: Pick<Session, "ledger" | "chunks" | "boots">,
  identityId: number | undefined,
): readonly Waiting[] {
  const sums = new Map<number, { readonly waiting: Waiting; readonly firstSeq: number }>();
  for (const lane of ledger.filled(identityId)) {
    const key = lane.identity * 2 + lane.lane;
    const oldest = chunks.oldest(lane, () => false);
    const before = sums.get(key);
    const isFirst = oldest !== undefined && oldest.first_seq < (before?.firstSeq ?? Number.POSITIVE_INFINITY);
    sums.set(key, {
      firstSeq: isFirst ? oldest.first_seq : (before?.firstSeq ?? Number.POSITIVE_INFINITY),
      waiting: {
        identityId: lane.identity,
        lane: laneOf(lane.lane),
        entries: (before?.waiting.entries ?? 0) + lane.entries,
        bytes: (before?.waiting.bytes ?? 0) + lane.bytes,
        urgentEntries:
          (before?.waiting.urgentEntries ?? 0) + (lane.priority === urgentPriority ? lane.entries : 0),
        oldestWaitedMs: Math.max(
          before?.waiting.oldestWaitedMs ?? 0,
          oldest === undefined ? 0 : boots.ageMs(oldest),
        ),
        isHeld: isFirst ? boots.isHeld(oldest) : (before?.waiting.isHeld ?? false),
      },
    });
  }
  return Array.from(sums.values(), ({ waiting }) => waiting);
}
