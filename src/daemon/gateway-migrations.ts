import type { Migration } from "../core/sql.ts";
import { engineMigrations } from "../engine/index.ts";
import { otaMigrations } from "../ota/index.ts";
import { supervisorMigrations } from "../supervisor/index.ts";

/** All tables of `gateway.db`. */
export const gatewayMigrations: readonly Migration[] = [
  ...engineMigrations,
  ...otaMigrations,
  ...supervisorMigrations,
];
