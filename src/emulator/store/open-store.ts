import { join } from "node:path";
import type { Logger } from "../../core/logger.ts";
import type { Line } from "../cluster/line.ts";
import { EmulatorStartError } from "../errors.ts";
import { type Blobs, FileBlobs } from "./blobs.ts";
import { makeDirectory, syncDirectory } from "./directories.ts";
import { openSqliteStore } from "./sqlite/sqlite-store.ts";
import type { Store } from "./store.ts";

export interface StoreOptions {
  /** A directory of this process alone, made when it isn't there: SQLite, and contents as files. */
  readonly dataDirectory?: string | undefined;
  /** URL of a PostgreSQL database that several processes may share; everything is in it. */
  readonly database?: string | undefined;
  readonly createMissing: boolean;
  readonly historyLimit: number;
  readonly logger: Logger;
}

export interface OpenStore {
  readonly store: Store;
  readonly blobs: Blobs;
  /** To the other processes on the database; undefined where there can be none. */
  readonly line?: Line;
}

/** @throws EmulatorStartError when it cannot be opened, or the options name not exactly one place */
export async function openStore({ dataDirectory, database, ...options }: StoreOptions): Promise<OpenStore> {
  if ((dataDirectory === undefined) === (database === undefined)) {
    throw new EmulatorStartError("everything is kept either in a data directory or in a database");
  }
  if (database !== undefined) {
    // Only who uses it loads it.
    const { openPostgresStore } = await import("./postgres/postgres-store.ts");
    return openPostgresStore({ ...options, url: database });
  }
  return openDirectory(dataDirectory ?? "", options);
}

async function openDirectory(
  directory: string,
  options: Pick<StoreOptions, "createMissing" | "historyLimit">,
): Promise<OpenStore> {
  await makeDirectory(directory).catch((cause: unknown) => {
    throw new EmulatorStartError(`the data directory ${directory} cannot be made`, { cause });
  });
  const store = openSqliteStore({ ...options, directory });
  try {
    // The database's name too must survive a power cut.
    await syncDirectory(directory);
    const blobs = new FileBlobs(join(directory, "content"));
    await blobs.start(await store.content.blobs());
    return { store, blobs };
  } catch (error) {
    await store.close();
    throw error;
  }
}
