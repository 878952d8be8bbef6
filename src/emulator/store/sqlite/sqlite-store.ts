import type { Store } from "../store.ts";
import { ClientCache, sqliteClients } from "./clients.ts";
import { sqliteCommands } from "./commands.ts";
import { sqliteContent } from "./content.ts";
import { openDatabase } from "./database.ts";
import { type DataportOptions, sqliteDataports } from "./dataports.ts";
import { GroupCommit } from "./group-commit.ts";
import { sqliteGroups } from "./groups.ts";
import { sqliteModels } from "./models.ts";
import { sqliteOwners } from "./owners.ts";
import { PointWriter } from "./point-writer.ts";
import { sqliteRollouts } from "./rollouts/rollouts.ts";
import { sqliteSerials } from "./serials.ts";
import { sqliteSessions } from "./sessions.ts";
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
  const cache = new ClientCache();
  const writer = new PointWriter(db, options);
  return {
    owners: sqliteOwners(db, commit),
    models: sqliteModels(db, commit, cache),
    serials: sqliteSerials(db, commit, cache),
    clients: sqliteClients(db, cache),
    dataports: sqliteDataports(db, commit, writer),
    content: sqliteContent(db, commit),
    groups: sqliteGroups(db, commit),
    sessions: sqliteSessions(db, commit),
    commands: sqliteCommands(db, commit, writer),
    rollouts: sqliteRollouts(db, commit, writer),
    close: async () => {
      await commit.close();
      wal.close();
      db.close();
    },
  };
}
