import { setImmediate as nextTurn } from "node:timers/promises";
import { InvariantError } from "../../../core/errors.ts";
import type { SqliteDatabase } from "./database.ts";

interface Pending {
  readonly work: () => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (reason: unknown) => void;
}

interface Committed {
  readonly batch: readonly Pending[];
  /** Of each of them. */
  readonly results: readonly unknown[];
}

/** Bounds the time that one turn spends in the database. */
const maxBatch = 128;

/**
 * Commits together whatever was asked for while the commit before was on its way to the disk: one sync for all of it,
 * where a commit each would cap the rate at the disk's syncs per second. Callers are answered when it has come there.
 * The sync is no part of the turn: Node accepts one new connection a turn, and turns that wait for a disk
 * would let new gateways queue up until they give up (docs/adr/0028).
 */
export class GroupCommit {
  readonly #db: SqliteDatabase;
  readonly #sync: () => Promise<void>;
  #pending: Pending[] = [];
  #rounds: Promise<void> | undefined;
  #syncing: Promise<void> | undefined;
  #isClosed = false;
  #failure: { readonly error: unknown } | undefined;

  /**
   * @param sync resolves when all that is committed would survive a power cut. Once it has rejected nothing more is
   *   written: what reached the disk is unknown then, and a later success would not tell either
   */
  constructor(db: SqliteDatabase, sync: () => Promise<void>) {
    this.#db = db;
    this.#sync = sync;
  }

  /**
   * Runs `work` in the next transaction. It must touch nothing but the database: it is run again when a neighbour in
   * the same batch fails. What it throws rejects its own caller only.
   */
  run<T>(work: () => T): Promise<T> {
    if (this.#isClosed) return Promise.reject(new InvariantError("the store is closed"));
    if (this.#failure) return Promise.reject(this.#failure.error);
    return new Promise<T>((resolve, reject) => {
      this.#pending.push({ work, resolve, reject });
      this.#rounds ??= this.#commitAll();
    });
  }

  /** Resolves when what is committed by now, and so can be read, would survive a power cut. */
  async durable(): Promise<void> {
    if (this.#failure) throw this.#failure.error;
    await this.#syncing;
  }

  /** Commits what waits; later calls are refused. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#rounds;
  }

  async #commitAll(): Promise<void> {
    while (this.#pending.length > 0) {
      // What else is asked for in this turn comes along.
      await nextTurn();
      const committed = this.#commitBatch();
      if (committed) await this.#answer(committed);
    }
    this.#rounds = undefined;
  }

  async #answer({ batch, results }: Committed): Promise<void> {
    this.#syncing = this.#sync();
    try {
      await this.#syncing;
      for (const [index, { resolve }] of batch.entries()) resolve(results[index] as never);
    } catch (error) {
      this.#failure = { error };
      for (const { reject } of [...batch, ...this.#pending.splice(0)]) reject(error);
    } finally {
      this.#syncing = undefined;
    }
  }

  #commitBatch(): Committed | undefined {
    let batch = this.#pending.splice(0, maxBatch);
    while (batch.length > 0) {
      const { failed, results } = this.#commit(batch);
      if (results) return { batch, results };
      batch = failed ? batch.filter((pending) => pending !== failed) : [];
    }
    return undefined;
  }

  /** Results where the whole batch came to its end; else everything is rolled back, because of one member or of the commit. */
  #commit(batch: readonly Pending[]): { readonly failed?: Pending; readonly results?: readonly unknown[] } {
    const results: unknown[] = [];
    try {
      this.#db.exec("BEGIN IMMEDIATE");
      for (const pending of batch) {
        try {
          results.push(pending.work());
        } catch (error) {
          this.#rollback();
          pending.reject(error);
          return { failed: pending };
        }
      }
      this.#db.exec("COMMIT");
      return { results };
    } catch (error) {
      this.#rollback();
      for (const pending of batch) pending.reject(error);
      return {};
    }
  }

  #rollback(): void {
    if (this.#db.inTransaction) this.#db.exec("ROLLBACK");
  }
}
