import type { Dialect } from "../sql/engine.ts";

/** Transactions come one after another: nothing needs to be locked. Lists are bound as JSON. */
export const sqliteDialect: Dialect = {
  forUpdate: () => "",
  forShare: () => "",
  isIn: (column, placeholder) => `${column} IN (SELECT value FROM json_each(${placeholder}))`,
  jsonNumber: (column, key) => `(${column} ->> '${key}')`,
  jsonList: (column) => `json_group_array(${column})`,
  indexedBy: (index) => `INDEXED BY ${index}`,
};
