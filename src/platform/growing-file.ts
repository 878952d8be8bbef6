import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

/** A file that is written from its start to its end, over several runs of the program. */
export interface GrowingFile {
  readonly sizeBytes: number;
  /** Fills the buffer from that place on; resolves to how many bytes there were. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  append(chunk: Uint8Array): Promise<void>;
  /** Cuts the file to that size. */
  truncate(sizeBytes: number): Promise<void>;
  /** Content and size to disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a file to go on writing it, or creates it, readable by its owner alone. Its directory has to be there. */
export async function openGrowingFile(file: string): Promise<GrowingFile> {
  const handle = await open(file, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    return new OpenGrowingFile(handle, (await handle.stat()).size);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

class OpenGrowingFile implements GrowingFile {
  readonly #handle: FileHandle;
  #sizeBytes: number;

  constructor(handle: FileHandle, sizeBytes: number) {
    this.#handle = handle;
    this.#sizeBytes = sizeBytes;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await this.#handle.read(
        buffer,
        filled,
        buffer.length - filled,
        position + filled,
      );
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  }

  async append(chunk: Uint8Array): Promise<void> {
    for (let offset = 0; offset < chunk.length; ) {
      const { bytesWritten } = await this.#handle.write(
        chunk,
        offset,
        chunk.length - offset,
        this.#sizeBytes,
      );
      offset += bytesWritten;
      this.#sizeBytes += bytesWritten;
    }
  }

  async truncate(sizeBytes: number): Promise<void> {
    await this.#handle.truncate(sizeBytes);
    this.#sizeBytes = sizeBytes;
  }

  // Of the metadata only the size matters, and that `fdatasync` includes.
  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
