import { closeSync, fdatasync, openSync } from "node:fs";
import { InvariantError } from "../../../core/errors.ts";
import type { SqliteDatabase } from "./database.ts";

/**
 * The log that SQLite appends commits to, synced by us: SQLite itself would sync it in the event loop's own thread. The
 * file is made by the first write and stays the same one until the database is closed.
 */
export class WalFile {
  #fd: number | undefined;

  /** @param db after its first write */
  constructor(db: SqliteDatabase) {
    this.#fd = openSync(`${db.name}-wal`, "r+");
  }

  /** Resolves when all that is committed by now would survive a power cut. */
  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#fd === undefined) return reject(new InvariantError("the log is closed"));
      fdatasync(this.#fd, (error) => (error ? reject(error) : resolve()));
    });
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
