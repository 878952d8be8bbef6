import pg from "pg";
import { describeError } from "../../../core/errors.ts";
import type { Logger } from "../../../core/logger.ts";
import { EmulatorStartError } from "../../errors.ts";
import type { OpenStore } from "../open-store.ts";
import { noClientCache } from "../sql/client-cache.ts";
import type { DataportOptions } from "../sql/point-writer.ts";
import { sqlStores } from "../sql/stores.ts";
import { DatabaseBlobs } from "./blobs.ts";
import { connectionTo } from "./connection.ts";
import { migrate } from "./migrate.ts";
import { PostgresPointWriter } from "./point-writer.ts";
import { PostgresEngine } from "./postgres-engine.ts";
import { PostgresLine } from "./postgres-line.ts";

export interface PostgresStoreOptions extends DataportOptions {
  readonly url: string;
  readonly logger: Logger;
}

/** Connections of one process, beside the one that listens: a server allows 100 by default, to all its users. */
const maxConnections = 10;

/** Opens the database, its tables made or brought up to date. @throws EmulatorStartError */
export async function openPostgresStore({
  url,
  logger,
  ...options
}: PostgresStoreOptions): Promise<OpenStore> {
  const pool = new pg.Pool({ ...connectionTo(url, { isSynchronous: true }), max: maxConnections });
  // A connection that breaks while nobody uses it; whoever uses one is told by a rejection.
  pool.on("error", (error) =>
    logger.warn("a connection to the database broke", { error: describeError(error) }),
  );
  try {
    await prepare(pool, logger);
  } catch (cause) {
    await pool.end();
    if (cause instanceof EmulatorStartError) throw cause;
    throw new EmulatorStartError("the database cannot be opened", { cause });
  }
  const engine = new PostgresEngine(pool);
  const parts = { engine, writer: new PostgresPointWriter(options), cache: noClientCache };
  const blobs = new DatabaseBlobs(engine);
  await blobs.start();
  let ended: Promise<void> | undefined;
  const close = () => {
    ended ??= pool.end();
    return ended;
  };
  const line = new PostgresLine({ connection: connectionTo(url, { isSynchronous: false }), logger });
  return { store: { ...sqlStores(parts), close }, blobs, line };
}

async function prepare(pool: pg.Pool, logger: Logger): Promise<void> {
  const client = await pool.connect();
  let isDone = false;
  try {
    await migrate(client);
    const { rows } = await client.query<{ fsync: string }>("SHOW fsync");
    if (rows[0]?.fsync !== "on") {
      logger.warn("the database's fsync is off: what was acknowledged does not survive a power cut");
    }
    isDone = true;
  } finally {
    // With its transaction, where that did not come to its end.
    client.release(!isDone);
  }
}
