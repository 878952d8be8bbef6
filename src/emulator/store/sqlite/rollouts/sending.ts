import type { RolloutStore, Sent } from "../../../rollouts/rollout-store.ts";
import {
  failureStates,
  type RolloutAction,
  type RolloutState,
  stateAfter,
  type TargetState,
} from "../../../rollouts/states.ts";
import type { SqliteDatabase } from "../database.ts";
import type { GroupCommit } from "../group-commit.ts";
import type { FetchBox } from "./fetch-box.ts";
import { commandOf, quoted, type TargetRow, type TargetRows } from "./target-rows.ts";

export interface RolloutParts {
  readonly db: SqliteDatabase;
  readonly commit: GroupCommit;
  readonly targets: TargetRows;
  readonly box: FetchBox;
}

/** What writes into gateways' `engine_fetch`, and takes back what they have not taken. */
export function sending({ db, commit, targets, box }: RolloutParts): Pick<RolloutStore, "send" | "act"> {
  const stateOf = db.prepare<[string], RolloutState>("SELECT state FROM rollout WHERE id = ?").pluck();
  const setState = db.prepare("UPDATE rollout SET state = ?, reason = '' WHERE id = ?");
  const excuse = db.prepare(
    `UPDATE rollout_target SET excused = 1 WHERE rollout = ? AND state IN (${quoted(failureStates)})`,
  );

  const sendOne = (row: TargetRow, now: number): boolean => {
    const isUndo = row.state.startsWith("undo");
    const { clientId } = row;
    if (clientId === null) {
      targets.set(row.id, isUndo ? "undo-failed" : "gone", now, "the gateway was removed");
      return false;
    }
    const wanted = commandOf(row);
    if (!wanted) {
      targets.set(row.id, "undone", now, "nothing to take back");
      return false;
    }
    if (box.waiting(clientId) !== "") {
      targets.set(row.id, isUndo ? "undo-blocked" : "blocked", now, "another command waits there");
      return false;
    }
    const text = JSON.stringify({ ...wanted.command, id: wanted.id });
    const before = isUndo ? row.before : JSON.stringify(box.versions(clientId));
    const ts = box.write(clientId, text, now);
    if (ts === undefined) {
      targets.set(row.id, isUndo ? "undo-failed" : "failed", now, "it has no dataport engine_fetch");
      return false;
    }
    targets.setSent(row.id, text, ts, before);
    targets.set(row.id, isUndo ? "undo-waiting" : "waiting", now);
    return true;
  };

  const send = (id: string, limit: number, now: number): Sent => {
    const due = targets.due(id, limit);
    const clientsOf = (rows: readonly TargetRow[]) => rows.flatMap(({ clientId }) => clientId ?? []);
    return {
      written: clientsOf(due.filter((row) => sendOne(row, now))),
      touched: clientsOf(due),
      isMore: due.length === limit,
    };
  };

  /** Empties `engine_fetch` where it still holds what this roll-out wrote. */
  const withdraw = (id: string, from: readonly TargetState[], to: TargetState, now: number): number[] => {
    const withdrawn: number[] = [];
    for (const row of targets.inStates(id, from)) {
      const isWritten = row.state === "waiting" || row.state === "undo-waiting";
      if (isWritten && row.clientId !== null) {
        // Taken a moment ago: what came of it will be heard.
        if (box.waiting(row.clientId) !== row.sent) continue;
        box.write(row.clientId, "", now);
        withdrawn.push(row.clientId);
      }
      targets.set(row.id, to, now);
    }
    return withdrawn;
  };

  const act = (id: string, action: RolloutAction, now: number) => {
    const state = stateOf.get(id);
    const next = state && stateAfter(action, state);
    if (!next) return { done: false, withdrawn: [] };
    setState.run(next, id);
    if (action === "resume" && state === "stopped") excuse.run(id);
    if (action === "pause" || action === "resume") return { done: true, withdrawn: [] };
    const untaken = withdraw(id, ["pending", "blocked", "waiting"], "withdrawn", now);
    if (action === "abort") {
      const undo = withdraw(id, ["undo-pending", "undo-blocked", "undo-waiting"], "succeeded", now);
      return { done: true, withdrawn: [...untaken, ...undo] };
    }
    for (const row of targets.inStates(id, ["succeeded"])) targets.set(row.id, "undo-pending", now);
    return { done: true, withdrawn: untaken };
  };

  return {
    send: (id, limit, now) => commit.run(() => send(id, limit, now)),
    act: (id, action, now) => commit.run(() => act(id, action, now)),
  };
}
