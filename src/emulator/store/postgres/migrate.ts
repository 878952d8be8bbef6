import type { ClientBase } from "pg";
import { EmulatorStartError } from "../../errors.ts";
import { lockClass, migrationLock } from "./locks.ts";
import { migrations } from "./schema.ts";

/** Brings the tables up to date; of several processes that start at once, one does it and the others wait. */
export async function migrate(client: ClientBase): Promise<void> {
  await client.query("BEGIN");
  await client.query("SELECT pg_advisory_xact_lock($1, $2)", [lockClass, migrationLock]);
  await client.query(
    "CREATE TABLE IF NOT EXISTS emulator_migration (number integer PRIMARY KEY, ran_at timestamptz NOT NULL DEFAULT now())",
  );
  const { rows } = await client.query<{ done: number }>(
    "SELECT coalesce(max(number), 0) AS done FROM emulator_migration",
  );
  const done = rows[0]?.done ?? 0;
  if (done > migrations.length) {
    throw new EmulatorStartError("the database was written by a newer emulator", { context: { done } });
  }
  for (const [index, sql] of migrations.entries()) {
    if (index < done) continue;
    await client.query(sql);
    await client.query("INSERT INTO emulator_migration (number) VALUES ($1)", [index + 1]);
  }
  await client.query("COMMIT");
}
