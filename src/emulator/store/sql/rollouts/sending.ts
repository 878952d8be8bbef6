import type { RolloutStore, Sent } from "../../../rollouts/rollout-store.ts";
import {
  failureStates,
  type RolloutAction,
  type RolloutState,
  stateAfter,
  type TargetState,
} from "../../../rollouts/states.ts";
import type { Engine } from "../engine.ts";
import type { FetchBox } from "../fetch-box.ts";
import { Statement, type Work } from "../statement.ts";
import type { Reports } from "./reports.ts";
import { commandOf, quoted, type TargetRow, type TargetRows } from "./target-rows.ts";

export interface RolloutParts {
  readonly engine: Engine;
  readonly targets: TargetRows;
  readonly box: FetchBox;
  readonly reports: Reports;
}

/** What writes into gateways' `engine_fetch`, and takes back what they have not taken. */
export function sending({ engine, targets, box, reports }: RolloutParts): Pick<RolloutStore, "send" | "act"> {
  const hold = new Statement<{ state: RolloutState }>(
    `SELECT state FROM rollout WHERE id = $1 ${engine.dialect.forUpdate("rollout")}`,
  );
  const setState = new Statement("UPDATE rollout SET state = $1, reason = '' WHERE id = $2");
  const excuse = new Statement(
    `UPDATE rollout_target SET excused = 1 WHERE rollout = $1 AND state IN (${quoted(failureStates)})`,
  );

  function* sendOne(row: TargetRow, now: number): Work<boolean> {
    const isUndo = row.state.startsWith("undo");
    const { clientId } = row;
    if (clientId === null) {
      yield* targets.set(row.id, isUndo ? "undo-failed" : "gone", now, "the gateway was removed");
      return false;
    }
    const wanted = commandOf(row);
    if (!wanted) {
      yield* targets.set(row.id, "undone", now, "nothing to take back");
      return false;
    }
    if ((yield* box.hold(clientId)) !== "") {
      yield* targets.set(row.id, isUndo ? "undo-blocked" : "blocked", now, "another command waits there");
      return false;
    }
    const text = JSON.stringify({ ...wanted.command, id: wanted.id });
    const before = isUndo ? row.before : JSON.stringify(yield* reports.versions(clientId));
    const ts = yield* box.write(clientId, Buffer.from(text), now);
    if (ts === undefined) {
      yield* targets.set(row.id, isUndo ? "undo-failed" : "failed", now, "it has no dataport engine_fetch");
      return false;
    }
    yield* targets.setSent(row.id, text, ts, before);
    yield* targets.set(row.id, isUndo ? "undo-waiting" : "waiting", now);
    return true;
  }

  function* send(id: string, limit: number, now: number): Work<Sent> {
    yield* hold.first(id);
    const due = yield* targets.due(id, limit);
    const written: number[] = [];
    for (const row of due) {
      const isSent = yield* sendOne(row, now);
      if (isSent && row.clientId !== null) written.push(row.clientId);
    }
    return {
      written,
      touched: due.flatMap(({ clientId }) => clientId ?? []),
      isMore: due.length === limit,
    };
  }

  /** Empties `engine_fetch` where it still holds what this roll-out wrote. */
  function* withdraw(id: string, from: readonly TargetState[], to: TargetState, now: number): Work<number[]> {
    const withdrawn: number[] = [];
    for (const row of yield* targets.inStates(id, from)) {
      const isWritten = row.state === "waiting" || row.state === "undo-waiting";
      if (isWritten && row.clientId !== null) {
        // Taken a moment ago: what came of it will be heard.
        if ((yield* box.hold(row.clientId)) !== row.sent) continue;
        yield* box.write(row.clientId, Buffer.alloc(0), now);
        withdrawn.push(row.clientId);
      }
      yield* targets.set(row.id, to, now);
    }
    return withdrawn;
  }

  function* act(id: string, action: RolloutAction, now: number) {
    const state = (yield* hold.first(id))?.state;
    const next = state && stateAfter(action, state);
    if (!next) return { done: false, withdrawn: [] };
    yield* setState.run(next, id);
    if (action === "resume" && state === "stopped") yield* excuse.run(id);
    if (action === "pause" || action === "resume") return { done: true, withdrawn: [] };
    const untaken = yield* withdraw(id, ["pending", "blocked", "waiting"], "withdrawn", now);
    if (action === "abort") {
      const undo = yield* withdraw(id, ["undo-pending", "undo-blocked", "undo-waiting"], "succeeded", now);
      return { done: true, withdrawn: [...untaken, ...undo] };
    }
    for (const row of yield* targets.inStates(id, ["succeeded"])) {
      yield* targets.set(row.id, "undo-pending", now);
    }
    return { done: true, withdrawn: untaken };
  }

  return {
    send: (id, limit, now) => engine.write(() => send(id, limit, now)),
    act: (id, action, now) => engine.write(() => act(id, action, now)),
  };
}
