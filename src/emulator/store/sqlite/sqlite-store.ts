import { SoleClientCache } from "../sql/client-cache.ts";
import type { DataportOptions } from "../sql/point-writer.ts";
import { sqlStores } from "../sql/stores.ts";
import type { Store } from "../store.ts";
import { openDatabase } from "./database.ts";
import { GroupCommit } from "./group-commit.ts";
import { SqlitePointWriter } from "./point-writer.ts";
import { SqliteEngine } from "./sqlite-engine.ts";
import { WalFile } from "./wal-file.ts";

export interface SqliteStoreOptions extends DataportOptions {
  /** Holds `emulator.db`; must exist. */
  readonly directory: string;
}

/** @throws EmulatorStartError when the database cannot be opened */
export function openSqliteStore(options: SqliteStoreOptions): Store {
  const db = openDatabase(options.directory);
  const wal = new WalFile(db);
  const commit = new GroupCommit(db, () => wal.sync());
  return {
    ...sqlStores({
      engine: new SqliteEngine(db, commit),
      writer: new SqlitePointWriter(options),
      cache: new SoleClientCache(),
    }),
    close: async () => {
      await commit.close();
      wal.close();
      db.close();
    },
  };
}
