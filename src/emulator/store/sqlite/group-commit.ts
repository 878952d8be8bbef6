import { InvariantError } from "../../../core/errors.ts";
import type { SqliteDatabase } from "./database.ts";

interface Pending {
  readonly work: () => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (reason: unknown) => void;
}

/** Bounds the time that one turn spends in the database. */
const maxBatch = 512;

/**
 * Commits together whatever was asked for in one turn of the event loop: one sync to disk for all of it, where a
 * commit each would cap the rate at the disk's syncs per second. Callers are answered after the commit.
 */
export class GroupCommit {
  readonly #db: SqliteDatabase;
  #pending: Pending[] = [];
  #scheduled = false;
  #closed = false;

  constructor(db: SqliteDatabase) {
    this.#db = db;
  }

  /**
   * Runs `work` in the next transaction. It must touch nothing but the database: it is run again when a neighbour in
   * the same batch fails. What it throws rejects its own caller only.
   */
  run<T>(work: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(new InvariantError("the store is closed"));
    return new Promise<T>((resolve, reject) => {
      this.#pending.push({ work, resolve, reject });
      this.#schedule();
    });
  }

  /** Commits what waits; later calls are refused. */
  close(): void {
    this.#closed = true;
    while (this.#pending.length > 0) this.#flush();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
      if (this.#pending.length > 0) this.#schedule();
    });
  }

  #flush(): void {
    let batch = this.#pending.splice(0, maxBatch);
    while (batch.length > 0) {
      const failed = this.#commit(batch);
      if (failed === undefined) return;
      batch = batch.filter((pending) => pending !== failed);
    }
  }

  /** Returns the member that failed, everything rolled back; undefined when the whole batch came to its end. */
  #commit(batch: readonly Pending[]): Pending | undefined {
    const results: unknown[] = [];
    try {
      this.#db.exec("BEGIN IMMEDIATE");
      for (const pending of batch) {
        try {
          results.push(pending.work());
        } catch (error) {
          this.#rollback();
          pending.reject(error);
          return pending;
        }
      }
      this.#db.exec("COMMIT");
    } catch (error) {
      // A failed commit is never retried into a success: what reached the disk is unknown.
      this.#rollback();
      for (const pending of batch) pending.reject(error);
      return undefined;
    }
    for (const [index, pending] of batch.entries()) pending.resolve(results[index] as never);
    return undefined;
  }

  #rollback(): void {
    if (this.#db.inTransaction) this.#db.exec("ROLLBACK");
  }
}
