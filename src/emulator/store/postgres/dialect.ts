import type { Dialect } from "../sql/engine.ts";

export const postgresDialect: Dialect = {
  forUpdate: (table) => `FOR NO KEY UPDATE OF ${table}`,
  forShare: (table) => `FOR SHARE OF ${table}`,
  isIn: (column, placeholder) => `${column} = ANY(${placeholder})`,
  jsonNumber: (column, key) => `(${column}::json ->> '${key}')::bigint`,
  jsonList: (column) => `coalesce(json_agg(${column}), '[]')::text`,
  indexedBy: () => "",
};
