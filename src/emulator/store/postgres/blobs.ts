import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { GweError } from "../../../core/errors.ts";
import type { Blobs, StoredBlob } from "../blobs.ts";
import type { Engine } from "../sql/engine.ts";
import { Statement, type Work } from "../sql/statement.ts";

/** A row's bytes: some of them are in memory for each transfer. */
const chunkBytes = 256 * 1024;

/** A download that began before its blob was removed has so long to come to its end. */
const keptAfterRemoval = "1 hour";
/** An upload that is not referred to after so long was cut off with its process. */
const longestUpload = "1 day";

class BlobGoneError extends GweError {
  readonly code = "BLOB_GONE";
}

/** Content blobs in the database, in chunks: processes on other machines have them too. */
export class DatabaseBlobs implements Blobs {
  readonly #engine: Engine;
  readonly #insert = new Statement("INSERT INTO blob (name) VALUES ($1)");
  readonly #add = new Statement("INSERT INTO blob_chunk (name, number, bytes) VALUES ($1, $2, $3)");
  readonly #chunk = new Statement<{ bytes: Buffer }>(
    "SELECT bytes FROM blob_chunk WHERE name = $1 AND number = $2",
  );
  readonly #remove = new Statement("UPDATE blob SET removed_at = now() WHERE name = $1");
  readonly #sweep = new Statement(
    `DELETE FROM blob WHERE removed_at < now() - interval '${keptAfterRemoval}'
       OR made_at < now() - interval '${longestUpload}' AND removed_at IS NULL
         AND NOT EXISTS (SELECT 1 FROM content WHERE content.blob = blob.name)`,
  );

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async start(): Promise<void> {
    await this.#engine.writeOnce(() => this.#sweep.run());
  }

  async put(source: AsyncIterable<Buffer>): Promise<StoredBlob> {
    const name = randomUUID();
    await this.#engine.writeOnce(() => this.#insert.run(name));
    try {
      let sizeBytes = 0;
      let number = 0;
      for await (const bytes of inChunks(source)) {
        const at = number;
        await this.#engine.writeOnce(() => this.#add.run(name, at, bytes));
        number += 1;
        sizeBytes += bytes.length;
      }
      return { name, sizeBytes };
    } catch (error) {
      await this.remove(name);
      throw error;
    }
  }

  /** Each chunk is read when the one before has gone out. */
  async read(name: string, start: number, end: number): Promise<Readable> {
    return Readable.from(this.#chunks(name, start, end), { objectMode: false, highWaterMark: chunkBytes });
  }

  async remove(name: string): Promise<void> {
    await this.#engine.write(() => this.#removal(name));
  }

  *#removal(name: string): Work<void> {
    yield* this.#remove.run(name);
    yield* this.#sweep.run();
  }

  async *#chunks(name: string, start: number, end: number): AsyncGenerator<Buffer> {
    for (let number = Math.floor(start / chunkBytes); number * chunkBytes <= end; number++) {
      const chunk = await this.#engine.read(() => this.#chunk.first(name, number));
      if (!chunk) throw new BlobGoneError("a content's bytes are gone", { context: { name, number } });
      const offset = number * chunkBytes;
      yield chunk.bytes.subarray(Math.max(0, start - offset), end - offset + 1);
    }
  }
}

/** The same bytes, in pieces of one size; the last may be smaller. */
async function* inChunks(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let size = 0;
  for await (const piece of source) {
    held.push(piece);
    size += piece.length;
    if (size < chunkBytes) continue;
    let whole = Buffer.concat(held);
    for (; whole.length >= chunkBytes; whole = whole.subarray(chunkBytes))
      yield whole.subarray(0, chunkBytes);
    held = [whole];
    size = whole.length;
  }
  if (size > 0) yield Buffer.concat(held);
}
