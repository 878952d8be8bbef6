import { nextTargetState } from "../../../commands/target-state.ts";
import { parseFetchStatus } from "../../../fleet/fetch-status.ts";
import { commandId, undoId } from "../../../rollouts/rollout.ts";
import type { RolloutStore } from "../../../rollouts/rollout-store.ts";
import type { TargetState } from "../../../rollouts/states.ts";
import { advance, type Outcome, type Seen } from "../../../rollouts/target.ts";
import type { RolloutParts } from "./sending.ts";
import type { TargetRow } from "./target-rows.ts";

/** A result may be stamped before its command where a dataport was written faster than once a second. */
const stampSlackS = 60;

interface Late {
  readonly id: number;
  readonly rollout: string;
  readonly state: TargetState;
  readonly resultWithinS: number;
}

/** What notes how gateways take commands and what they tell of them. */
export function observing({
  db,
  commit,
  targets,
  box,
}: RolloutParts): Pick<RolloutStore, "observe" | "expire"> {
  const late = db.prepare<[number, number], Late>(
    `SELECT target.id, target.rollout, target.state, rollout.plan ->> 'resultWithinS' AS resultWithinS
     FROM rollout_target AS target JOIN rollout ON rollout.id = target.rollout
     WHERE target.state IN ('taken', 'undo-taken')
       AND max(target.at, ?) + (rollout.plan ->> 'resultWithinS') <= ?`,
  );
  const gone = db.prepare<[], { id: number; rollout: string; state: TargetState }>(
    `SELECT id, rollout, state FROM rollout_target WHERE client_id IS NULL AND state IN
       ('pending', 'blocked', 'waiting', 'taken', 'undo-pending', 'undo-blocked', 'undo-waiting', 'undo-taken')`,
  );

  const outcomeOf = ({ sent, sentTs, state, rollout }: TargetRow, clientId: number): Outcome | undefined => {
    if (sent === null || sentTs === null) return undefined;
    const id = state.startsWith("undo") ? undoId(rollout) : commandId(rollout);
    const status = box
      .results(clientId, sentTs - stampSlackS)
      .map(parseFetchStatus)
      .find((one) => one.id === id);
    return status && (nextTargetState({ state: "taken", text: sent, fetch: "", status }) as Outcome);
  };

  const seenOf = (row: TargetRow, clientId: number, isByOwner: boolean): Seen => {
    return {
      next: row.sentTs === null ? undefined : box.nextAfter(clientId, row.sentTs),
      isByOwner,
      isOccupied: box.waiting(clientId) !== "",
      outcome: outcomeOf(row, clientId),
    };
  };

  const observe = (clientIds: readonly number[], byOwner: ReadonlySet<number>, now: number): string[] => {
    const changed = new Set<string>();
    for (const clientId of clientIds) {
      for (const row of targets.ofClient(clientId)) {
        const next = advance(row.state, seenOf(row, clientId, byOwner.has(clientId)), row.rolloutState);
        if (!next) continue;
        targets.set(row.id, next.state, now, next.detail);
        changed.add(row.rollout);
      }
    }
    return [...changed];
  };

  return {
    observe: (clientIds, byOwner, now) => commit.run(() => observe(clientIds, byOwner, now)),
    expire: async ({ now, upSince }) => {
      // Looked up first: nearly always there is nothing to write.
      const silent = late.all(upSince, now);
      const removed = gone.all();
      if (silent.length + removed.length === 0) return [];
      return commit.run(() => {
        for (const { id, state, resultWithinS } of silent) {
          const detail = `took the command and told no result within ${resultWithinS} s`;
          targets.set(id, state === "taken" ? "silent" : "undo-failed", now, detail);
        }
        for (const { id, state } of removed) {
          targets.set(id, state.startsWith("undo") ? "undo-failed" : "gone", now, "the gateway was removed");
        }
        return [...new Set([...silent, ...removed].map(({ rollout }) => rollout))];
      });
    },
  };
}
