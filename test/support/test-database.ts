import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { runSql, templateDatabase } from "./postgres-cluster.ts";

/** Set where the emulators of tests shall run on PostgreSQL: the URL of a database that others can be made from. */
const cluster = process.env.GWE_TEST_DATABASE;

/** A database that stands for a data directory: made at the first call; undefined where tests run on SQLite. */
export async function testDatabase(directory: string): Promise<string | undefined> {
  if (cluster === undefined) return undefined;
  const name = nameOf(directory);
  await runSql(cluster, `CREATE DATABASE ${name} TEMPLATE ${templateDatabase}`).catch((error: unknown) => {
    // The emulator before this one made it.
    if (!(error instanceof Error && "code" in error && error.code === "42P04")) throw error;
  });
  return cluster.replace("/postgres?", `/${name}?`);
}

export async function dropTestDatabase(directory: string): Promise<void> {
  if (cluster !== undefined)
    await runSql(cluster, `DROP DATABASE IF EXISTS ${nameOf(directory)} WITH (FORCE)`);
}

/** Names of the blobs that an emulator keeps. */
export async function storedBlobs(directory: string): Promise<readonly string[]> {
  const database = await testDatabase(directory);
  if (database === undefined) return readdir(join(directory, "content"));
  const rows = await runSql(database, "SELECT name FROM blob WHERE removed_at IS NULL ORDER BY name");
  return rows.map(({ name }) => String(name));
}

function nameOf(directory: string): string {
  return `t_${createHash("sha256").update(directory).digest("hex").slice(0, 24)}`;
}
