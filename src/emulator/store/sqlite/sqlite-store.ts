import type { Store } from "../store.ts";
import { ClientCache, sqliteClients } from "./clients.ts";
import { sqliteContent } from "./content.ts";
import { openDatabase } from "./database.ts";
import { type DataportOptions, sqliteDataports } from "./dataports.ts";
import { GroupCommit } from "./group-commit.ts";
import { sqliteGroups } from "./groups.ts";
import { sqliteModels } from "./models.ts";
import { sqliteOwners } from "./owners.ts";
import { sqliteSerials } from "./serials.ts";

export interface SqliteStoreOptions extends DataportOptions {
  /** Holds `emulator.db`; must exist. */
  readonly directory: string;
}

/** @throws EmulatorStartError when the database cannot be opened */
export function openSqliteStore(options: SqliteStoreOptions): Store {
  const db = openDatabase(options.directory);
  const commit = new GroupCommit(db);
  const cache = new ClientCache();
  return {
    owners: sqliteOwners(db, commit),
    models: sqliteModels(db, commit, cache),
    serials: sqliteSerials(db, commit, cache),
    clients: sqliteClients(db, cache),
    dataports: sqliteDataports(db, commit, options),
    content: sqliteContent(db, commit),
    groups: sqliteGroups(db, commit),
    close: async () => {
      commit.close();
      db.close();
    },
  };
}
