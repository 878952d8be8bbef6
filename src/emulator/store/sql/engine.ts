import { GweError } from "../../../core/errors.ts";
import type { Work } from "./statement.ts";

/** Runs work in a database. */
export interface Engine {
  readonly dialect: Dialect;
  /** Reads what is committed. */
  read<T>(work: () => Work<T>): Promise<T>;
  /** As `read`; resolves when what was found would survive a power cut. */
  readLasting<T>(work: () => Work<T>): Promise<T>;
  /**
   * One transaction; resolves when it would survive a power cut. Work that fails leaves nothing behind. It may be run
   * more than once, and touches nothing but the database.
   */
  write<T>(work: () => Work<T>): Promise<T>;
  /** As `write`, for work that is a single statement where the engine has its own way with it. */
  writeOnce<T>(work: () => Work<T>): Promise<T>;
}

/** Where SQLite and PostgreSQL say the same differently. */
export interface Dialect {
  /** Ends a SELECT whose rows (those of the table of this name) nobody else may change before this transaction ends. */
  forUpdate(table: string): string;
  /** As above, but others may look as well. */
  forShare(table: string): string;
  /** Whether a column's value is in the list that is bound there. */
  isIn(column: string, placeholder: string): string;
  /** A whole number at this key of a column that holds JSON. */
  jsonNumber(column: string, key: string): string;
  /** All values of a column as a JSON array; empty where there are none. */
  jsonList(column: string): string;
  /** Has SQLite's planner use this index. */
  indexedBy(index: string): string;
}

/** Somebody else did the same at the same moment: the engine begins the work anew. */
export class ConflictError extends GweError {
  readonly code = "STORE_CONFLICT";
}
