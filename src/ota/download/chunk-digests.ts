import { createHash, type Hash } from "node:crypto";

/**
 * SHA-256 over a growing content and over each chunk of it. Chunks, since the state of a hash under way cannot be stored: after a
 * restart the chunks that are held are read again, and what is damaged costs no more than what follows it.
 */
export class ChunkDigests {
  readonly chunkBytes: number;
  #complete: readonly string[] = [];
  #open: Hash = createHash("sha256");
  #openBytes = 0;
  #whole: Hash = createHash("sha256");

  constructor(chunkBytes: number) {
    this.chunkBytes = chunkBytes;
  }

  get bytes(): number {
    return this.#complete.length * this.chunkBytes + this.#openBytes;
  }

  update(data: Uint8Array): void {
    this.#whole.update(data);
    for (let at = 0; at < data.length; ) {
      const part = data.subarray(at, at + this.chunkBytes - this.#openBytes);
      this.#open.update(part);
      this.#openBytes += part.length;
      at += part.length;
      if (this.#openBytes === this.chunkBytes) this.#closeChunk();
    }
  }

  /** In hex, in order; the last one may be of a chunk that is not full yet. */
  list(): readonly string[] {
    if (this.#openBytes === 0) return this.#complete;
    return [...this.#complete, this.#open.copy().digest("hex")];
  }

  /** Of all so far, in hex. */
  whole(): string {
    return this.#whole.copy().digest("hex");
  }

  /** The same state, to go on from independently. */
  fork(): ChunkDigests {
    const fork = new ChunkDigests(this.chunkBytes);
    fork.#complete = this.#complete;
    fork.#open = this.#open.copy();
    fork.#openBytes = this.#openBytes;
    fork.#whole = this.#whole.copy();
    return fork;
  }

  #closeChunk(): void {
    this.#complete = [...this.#complete, this.#open.digest("hex")];
    this.#open = createHash("sha256");
    this.#openBytes = 0;
  }
}
