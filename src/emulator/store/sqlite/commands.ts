import type { CommandRecord, CommandStore, CommandTarget, OpenTarget } from "../operators.ts";
import type { TargetState } from "../target-states.ts";
import type { Value } from "../types.ts";
import type { SqliteDatabase } from "./database.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { PointWriter } from "./point-writer.ts";

const keptCommands = 1000;

export function sqliteCommands(db: SqliteDatabase, commit: GroupCommit, writer: PointWriter): CommandStore {
  const insert = db.prepare(
    "INSERT INTO operator_command (id, owner_id, at, text) VALUES (@id, @ownerId, @at, @text)",
  );
  const prune = db.prepare(
    `DELETE FROM operator_command WHERE owner_id = @ownerId AND seq <= (
       SELECT seq FROM operator_command WHERE owner_id = @ownerId ORDER BY seq DESC LIMIT 1 OFFSET ${keptCommands})`,
  );
  const waiting = db
    .prepare<[number], Buffer>(
      `SELECT point.value FROM dataport
         JOIN point ON point.dataport_id = dataport.id AND point.ts = dataport.current_ts
       WHERE dataport.client_id = ? AND dataport.alias = 'engine_fetch'`,
    )
    .pluck();
  const addTarget = db.prepare(
    "INSERT INTO command_target (command_id, client_id, state, at, detail) VALUES (?, ?, ?, ?, ?)",
  );
  const setState = db.prepare(
    "UPDATE command_target SET state = ?, at = ?, detail = ? WHERE command_id = ? AND client_id = ?",
  );

  const deliverTo = (commandId: string, clientId: number, value: Value, now: number): boolean => {
    const blocked = (waiting.get(clientId)?.length ?? 0) > 0;
    if (!blocked) writer.write(clientId, "engine_fetch", value, now);
    addTarget.run(
      commandId,
      clientId,
      blocked ? "blocked" : "waiting",
      now,
      blocked ? "another command waits there" : "",
    );
    return !blocked;
  };

  return {
    add: (command) =>
      commit.run(() => {
        insert.run(command);
        prune.run({ ownerId: command.ownerId });
      }),
    deliver: (commandId, clientIds, value, now) =>
      commit.run(() => clientIds.filter((clientId) => deliverTo(commandId, clientId, value, now))),
    setState: (commandId, clientId, { state, at, detail }) =>
      commit.run(() => void setState.run(state, at, detail, commandId, clientId)),
    ...readers(db),
  };
}

function readers(db: SqliteDatabase): Pick<CommandStore, "list" | "find" | "targets" | "open"> {
  const columns = "id, owner_id AS ownerId, at, text";
  type Row = Omit<CommandRecord, "counts">;
  const list = db.prepare<[number, number], Row>(
    `SELECT ${columns} FROM operator_command WHERE owner_id = ? ORDER BY seq DESC LIMIT ?`,
  );
  const find = db.prepare<[string], Row>(`SELECT ${columns} FROM operator_command WHERE id = ?`);
  const counts = db.prepare<[string], { state: TargetState; n: number }>(
    "SELECT state, count(*) AS n FROM command_target WHERE command_id = ? GROUP BY state",
  );
  const targets = db.prepare<[string], CommandTarget>(
    `SELECT command_target.client_id AS clientId, client.rid, model.name AS product, coalesce(serial.sn, '') AS sn,
       command_target.state, command_target.at, command_target.detail
     FROM command_target JOIN client ON client.id = command_target.client_id JOIN model ON model.id = client.model_id
       LEFT JOIN serial ON serial.client_id = client.id
     WHERE command_target.command_id = ? ORDER BY model.name, sn`,
  );
  const open = db.prepare<[], OpenTarget>(
    `SELECT command_id AS commandId, client_id AS clientId, state, operator_command.at AS givenAt, text
     FROM command_target JOIN operator_command ON operator_command.id = command_id
     WHERE state IN ('waiting', 'taken')`,
  );
  const counted = (row: Row): CommandRecord => ({
    ...row,
    counts: Object.fromEntries(counts.all(row.id).map(({ state, n }) => [state, n])),
  });
  return {
    list: async (ownerId, limit) => list.all(ownerId, limit).map(counted),
    find: async (id) => {
      const row = find.get(id);
      return row && counted(row);
    },
    targets: async (id) => targets.all(id),
    open: async () => open.all(),
  };
}
