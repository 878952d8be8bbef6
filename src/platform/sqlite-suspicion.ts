import type Database from "better-sqlite3";
import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { isCorruption } from "./sqlite-errors.ts";
import { markSuspect } from "./sqlite-replacement.ts";

type Call = (...parameters: unknown[]) => unknown;

/**
 * Sees to it that damage which a query meets is not lost in whatever catches the query's error: the file is marked for
 * the next start, and `onCorruption` called, once.
 */
export function watchForCorruption(
  db: Database.Database,
  file: string,
  onCorruption: (error: unknown) => void,
  logger: Logger,
): Database.Database {
  let isKnown = false;
  const met = (error: unknown): void => {
    if (isKnown || !isCorruption(error)) return;
    isKnown = true;
    try {
      markSuspect(file, describeError(error));
    } catch (cause) {
      logger.error("a damaged database could not be marked", { file, error: describeError(cause) });
    }
    onCorruption(error);
  };
  const watched =
    (call: Call): Call =>
    (...parameters) => {
      try {
        return call(...parameters);
      } catch (error) {
        met(error);
        throw error;
      }
    };
  const prepare = db.prepare.bind(db) as (sql: string) => Database.Statement;
  const watchedPrepare = watched((sql) => {
    const statement = prepare(sql as string);
    for (const name of ["run", "get", "all"] as const) {
      Object.defineProperty(statement, name, { value: watched(statement[name].bind(statement) as Call) });
    }
    return statement;
  });
  Object.defineProperty(db, "prepare", { value: watchedPrepare });
  return db;
}
