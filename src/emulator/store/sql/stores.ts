import type { Store } from "../store.ts";
import type { ClientCache } from "./client-cache.ts";
import { sqlClients } from "./clients.ts";
import { sqlCommands } from "./commands.ts";
import { sqlContent } from "./content.ts";
import { sqlDataports } from "./dataports.ts";
import type { Engine } from "./engine.ts";
import { sqlGroups } from "./groups.ts";
import { sqlModels } from "./models.ts";
import { sqlOwners } from "./owners.ts";
import type { PointWriter } from "./point-writer.ts";
import { sqlRollouts } from "./rollouts/rollouts.ts";
import { sqlSerials } from "./serials.ts";
import { sqlSessions } from "./sessions.ts";

/** What the stores are made of. */
export interface SqlParts {
  readonly engine: Engine;
  readonly writer: PointWriter;
  readonly cache: ClientCache;
}

/** Everything that the emulator remembers, in any database that speaks SQL. */
export function sqlStores(parts: SqlParts): Omit<Store, "close"> {
  return {
    owners: sqlOwners(parts),
    models: sqlModels(parts),
    serials: sqlSerials(parts),
    clients: sqlClients(parts),
    dataports: sqlDataports(parts),
    content: sqlContent(parts),
    groups: sqlGroups(parts),
    sessions: sqlSessions(parts),
    commands: sqlCommands(parts),
    rollouts: sqlRollouts(parts),
  };
}
