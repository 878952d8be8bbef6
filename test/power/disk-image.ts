import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { blockBytes, type Patch } from "./power-cut.ts";
import type { LogEntry } from "./write-log.ts";

/** The durable part of a disk, in memory: moved forward along the log, and written out once for each state. */
export class DiskImage {
  private readonly content: Buffer;
  /** One byte per block: whether it may hold something else than zeros. */
  private readonly used: Uint8Array;
  private applied = 0;

  constructor(content: Buffer) {
    this.content = content;
    this.used = new Uint8Array(Math.ceil(content.length / blockBytes));
    for (let block = 0; block < this.used.length; block += 1) {
      const bytes = content.subarray(block * blockBytes, (block + 1) * blockBytes);
      this.used[block] = bytes.equals(zeros.subarray(0, bytes.length)) ? 0 : 1;
    }
  }

  static read(file: string): DiskImage {
    return new DiskImage(readFileSync(file));
  }

  /** Applies the log's entries up to the `count`-th. It goes forward only. */
  advance(log: readonly LogEntry[], count: number): void {
    for (; this.applied < count; this.applied += 1) {
      const entry = log[this.applied];
      if (entry?.kind === "write") this.put(entry);
      else if (entry?.kind === "discard") {
        this.content.fill(0, entry.offset, entry.offset + entry.bytes);
      }
    }
  }

  equals(file: string): boolean {
    return this.content.equals(readFileSync(file));
  }

  /** Makes `file` this disk with `patches` on top; where there are zeros it stays sparse. */
  writeTo(file: string, patches: readonly Patch[]): void {
    const fd = openSync(file, "w");
    try {
      ftruncateSync(fd, this.content.length);
      for (let block = 0; block < this.used.length; ) {
        if (this.used[block] === 0) {
          block += 1;
          continue;
        }
        let end = block + 1;
        while (this.used[end] === 1) end += 1;
        const bytes = this.content.subarray(block * blockBytes, end * blockBytes);
        writeSync(fd, bytes, 0, bytes.length, block * blockBytes);
        block = end;
      }
      for (const { data, offset } of patches) writeSync(fd, data, 0, data.length, offset);
    } finally {
      closeSync(fd);
    }
  }

  private put({ offset, data }: Patch): void {
    this.content.set(data, offset);
    const lastBlock = Math.floor((offset + data.length - 1) / blockBytes);
    this.used.fill(1, Math.floor(offset / blockBytes), lastBlock + 1);
  }
}

const zeros = Buffer.alloc(blockBytes);
