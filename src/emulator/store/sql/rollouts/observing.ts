import { nextTargetState } from "../../../commands/target-state.ts";
import { parseFetchStatus } from "../../../fleet/fetch-status.ts";
import { commandId, undoId } from "../../../rollouts/rollout.ts";
import type { RolloutStore } from "../../../rollouts/rollout-store.ts";
import type { TargetState } from "../../../rollouts/states.ts";
import { advance, type Outcome, type Seen } from "../../../rollouts/target.ts";
import { Statement, type Work } from "../statement.ts";
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
  engine,
  targets,
  box,
  reports,
}: RolloutParts): Pick<RolloutStore, "observe" | "expire"> {
  const within = engine.dialect.jsonNumber("rollout.plan", "resultWithinS");
  const { forUpdate } = engine.dialect;
  const silent = `SELECT target.id, target.rollout, target.state, ${within} AS "resultWithinS"
     FROM rollout_target AS target JOIN rollout ON rollout.id = target.rollout
     WHERE target.state IN ('taken', 'undo-taken') AND target.at + ${within} <= $2 AND $1 + ${within} <= $2`;
  const late = new Statement<Late>(silent);
  const holdLate = new Statement<Late>(`${silent} ORDER BY target.id ${forUpdate("target")}`);
  const removed = `SELECT id, rollout, state FROM rollout_target AS target WHERE client_id IS NULL AND state IN
       ('pending', 'blocked', 'waiting', 'taken', 'undo-pending', 'undo-blocked', 'undo-waiting', 'undo-taken')`;
  const gone = new Statement<Omit<Late, "resultWithinS">>(removed);
  const holdGone = new Statement<Omit<Late, "resultWithinS">>(
    `${removed} ORDER BY target.id ${forUpdate("target")}`,
  );

  function* outcomeOf(
    { sent, sentTs, state, rollout }: TargetRow,
    clientId: number,
  ): Work<Outcome | undefined> {
    if (sent === null || sentTs === null) return undefined;
    const id = state.startsWith("undo") ? undoId(rollout) : commandId(rollout);
    const results = yield* reports.results(clientId, sentTs - stampSlackS);
    const status = results.map(parseFetchStatus).find((one) => one.id === id);
    return status && (nextTargetState({ state: "taken", text: sent, fetch: "", status }) as Outcome);
  }

  function* seenOf(row: TargetRow, clientId: number, isByOwner: boolean): Work<Seen> {
    return {
      next: row.sentTs === null ? undefined : yield* box.nextAfter(clientId, row.sentTs),
      isByOwner,
      isOccupied: (yield* box.waiting(clientId)) !== "",
      outcome: yield* outcomeOf(row, clientId),
    };
  }

  function* observe(clientIds: readonly number[], byOwner: ReadonlySet<number>, now: number): Work<string[]> {
    const changed = new Set<string>();
    for (const clientId of clientIds) {
      for (const row of yield* targets.ofClient(clientId)) {
        const seen = yield* seenOf(row, clientId, byOwner.has(clientId));
        const next = advance(row.state, seen, row.rolloutState);
        if (!next) continue;
        yield* targets.set(row.id, next.state, now, next.detail);
        changed.add(row.rollout);
      }
    }
    return [...changed];
  }

  function* expire(upSince: number, now: number): Work<string[]> {
    const changed = new Set<string>();
    for (const { id, rollout, state, resultWithinS } of yield* holdLate.all(upSince, now)) {
      const detail = `took the command and told no result within ${resultWithinS} s`;
      yield* targets.set(id, state === "taken" ? "silent" : "undo-failed", now, detail);
      changed.add(rollout);
    }
    for (const { id, rollout, state } of yield* holdGone.all()) {
      yield* targets.set(
        id,
        state.startsWith("undo") ? "undo-failed" : "gone",
        now,
        "the gateway was removed",
      );
      changed.add(rollout);
    }
    return [...changed];
  }

  return {
    observe: (clientIds, byOwner, now) => engine.write(() => observe(clientIds, byOwner, now)),
    expire: async ({ now, upSince }) => {
      // Looked up first: nearly always there is nothing to write.
      const isAny = await engine.read(function* () {
        return (yield* late.first(upSince, now)) ?? (yield* gone.first());
      });
      return isAny ? engine.write(() => expire(upSince, now)) : [];
    },
  };
}
