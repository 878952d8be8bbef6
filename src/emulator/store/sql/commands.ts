import type { CommandRecord, CommandStore, CommandTarget, OpenTarget } from "../operators.ts";
import type { TargetState } from "../target-states.ts";
import type { Value } from "../types.ts";
import type { Engine } from "./engine.ts";
import { FetchBox } from "./fetch-box.ts";
import { Statement, type Work } from "./statement.ts";
import type { SqlParts } from "./stores.ts";

const keptCommands = 1000;

export function sqlCommands({ engine, writer }: Pick<SqlParts, "engine" | "writer">): CommandStore {
  const box = new FetchBox(engine.dialect, writer);
  const insert = new Statement(
    "INSERT INTO operator_command (id, owner_id, at, text) VALUES ($1, $2, $3, $4)",
  );
  const prune = new Statement(
    `DELETE FROM operator_command WHERE owner_id = $1 AND seq <= (
       SELECT seq FROM operator_command WHERE owner_id = $1 ORDER BY seq DESC LIMIT 1 OFFSET ${keptCommands})`,
  );
  const addTarget = new Statement(
    "INSERT INTO command_target (command_id, client_id, state, at, detail) VALUES ($1, $2, $3, $4, $5)",
  );
  const setState = new Statement(
    `UPDATE command_target SET state = $1, at = $2, detail = $3
     WHERE command_id = $4 AND client_id = $5 AND state = $6`,
  );

  function* deliver(commandId: string, clientIds: readonly number[], value: Value, now: number) {
    const written: number[] = [];
    // In one order everywhere, so that two commands at a time do not wait for each other.
    for (const clientId of [...clientIds].sort((a, b) => a - b)) {
      const isBlocked = (yield* box.hold(clientId)) !== "";
      if (!isBlocked) {
        yield* box.write(clientId, value, now);
        written.push(clientId);
      }
      const detail = isBlocked ? "another command waits there" : "";
      yield* addTarget.run(commandId, clientId, isBlocked ? "blocked" : "waiting", now, detail);
    }
    return written;
  }

  return {
    add: ({ id, ownerId, at, text }) =>
      engine.write(function* () {
        yield* insert.run(id, ownerId, at, text);
        yield* prune.run(ownerId);
      }),
    deliver: (commandId, clientIds, value, now) =>
      engine.write(() => deliver(commandId, clientIds, value, now)),
    setState: async (commandId, clientId, { from, state, at, detail }) =>
      (await engine.writeOnce(() => setState.run(state, at, detail, commandId, clientId, from))) === 1,
    ...readers(engine),
  };
}

function readers(engine: Engine): Pick<CommandStore, "list" | "find" | "targets" | "open" | "openAt"> {
  const columns = 'id, owner_id AS "ownerId", at, text';
  type Row = Omit<CommandRecord, "counts">;
  const list = new Statement<Row>(
    `SELECT ${columns} FROM operator_command WHERE owner_id = $1 ORDER BY seq DESC LIMIT $2`,
  );
  const find = new Statement<Row>(`SELECT ${columns} FROM operator_command WHERE id = $1`);
  const counts = new Statement<{ id: string; state: TargetState; n: number }>(
    `SELECT command_id AS id, state, count(*) AS n FROM command_target
     WHERE ${engine.dialect.isIn("command_id", "$1")} GROUP BY command_id, state`,
  );
  const targets = new Statement<CommandTarget>(
    `SELECT command_target.client_id AS "clientId", client.rid, model.name AS product, coalesce(serial.sn, '') AS sn,
       command_target.state, command_target.at, command_target.detail
     FROM command_target JOIN client ON client.id = command_target.client_id JOIN model ON model.id = client.model_id
       LEFT JOIN serial ON serial.client_id = client.id
     WHERE command_target.command_id = $1 ORDER BY model.name, sn`,
  );
  const open = `SELECT command_id AS "commandId", client_id AS "clientId", state, operator_command.at AS "givenAt", text
     FROM command_target JOIN operator_command ON operator_command.id = command_id
     WHERE state IN ('waiting', 'taken')`;
  const openAll = new Statement<OpenTarget>(open);
  const openAt = new Statement<OpenTarget>(`${open} AND client_id = $1`);

  function* counted(rows: readonly Row[]): Work<CommandRecord[]> {
    const tally = new Map<string, Record<string, number>>(rows.map(({ id }) => [id, {}]));
    for (const { id, state, n } of yield* counts.all(rows.map(({ id }) => id))) {
      const states = tally.get(id);
      if (states) states[state] = n;
    }
    return rows.map((row) => ({ ...row, counts: tally.get(row.id) ?? {} }));
  }

  return {
    list: (ownerId, limit) =>
      engine.read(function* () {
        return yield* counted(yield* list.all(ownerId, limit));
      }),
    find: async (id) => {
      const [command] = await engine.read(function* () {
        return yield* counted(yield* find.all(id));
      });
      return command;
    },
    targets: (id) => engine.read(() => targets.all(id)),
    open: () => engine.read(() => openAll.all()),
    openAt: (clientId) => engine.read(() => openAt.all(clientId)),
  };
}
