import { randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { makeDirectory, syncDirectory } from "./directories.ts";

const partSuffix = ".part";

export interface StoredBlob {
  readonly name: string;
  readonly sizeBytes: number;
}

/** Contents' bytes, by names of their own: a blob never changes. */
export interface Blobs {
  /** Resolves when the bytes would survive a power cut. Rejects, leaving nothing, when the source fails. */
  put(source: AsyncIterable<Buffer>): Promise<StoredBlob>;
  /** A removal meanwhile harms nobody. `end` is inclusive. */
  read(name: string, start: number, end: number): Promise<Readable>;
  remove(name: string): Promise<void>;
}

/** Content blobs as files: written as they arrive, synced and renamed before their name is given to anyone. */
export class FileBlobs implements Blobs {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Makes the directory and removes what a crash left: parts, and blobs that nothing refers to. */
  async start(referred: ReadonlySet<string>): Promise<void> {
    await makeDirectory(this.#directory);
    const left = (await readdir(this.#directory)).filter((name) => !referred.has(name));
    await Promise.all(left.map((name) => this.remove(name)));
  }

  async put(source: AsyncIterable<Buffer>): Promise<StoredBlob> {
    const name = randomUUID();
    const part = join(this.#directory, name + partSuffix);
    const file = createWriteStream(part, { mode: 0o600, flush: true });
    try {
      await pipeline(source, file);
      await rename(part, join(this.#directory, name));
      await syncDirectory(this.#directory);
      return { name, sizeBytes: file.bytesWritten };
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  }

  /** Resolves once the file is open. */
  async read(name: string, start: number, end: number): Promise<Readable> {
    const file = await open(join(this.#directory, name), "r");
    return createReadStream("", { fd: file, start, end });
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.#directory, name), { force: true });
  }
}
