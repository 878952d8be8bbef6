import { constants, mkdirSync } from "node:fs";
import { access, lstat, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { freeBytes } from "./disk-space.ts";
import { ensureDirectory, fsyncDirectory } from "./files.ts";
import { type GrowingFile, openGrowingFile } from "./growing-file.ts";

/** A new file being written. */
export interface FileSink {
  write(chunk: Uint8Array): Promise<void>;
  /** Content to disk, file closed. */
  finish(): Promise<void>;
  /** Closes without a promise about the content. */
  abandon(): Promise<void>;
}

/** Files and directories whose changes survive a power cut once a method has answered (durability rule 3). */
export interface DurableFiles {
  /** Creates a directory and its missing parents; `mode` is that of the new ones, by default 0755. */
  ensureDirectory(directory: string, mode?: number): void;
  /** Creates or empties a file. Its name is durable only after a `move`. `mode`, less the umask, is a new file's; default 0600. */
  create(file: string, mode?: number): Promise<FileSink>;
  /** Opens a file to go on writing it, or creates it. Its name is durable only after a `move` or `replace` beside it. */
  openGrowing(file: string): Promise<GrowingFile>;
  /** Replaces a small file: after a power cut the old or the new content is there, whole. */
  replace(file: string, content: string): Promise<void>;
  /** Content of a small text file; undefined where there is none, or one of more than `maxBytes`. */
  readText(file: string, maxBytes: number): Promise<string | undefined>;
  /** Renames within one file system, replacing a file of the new name; both directories are synced. */
  move(from: string, to: string): Promise<void>;
  /**
   * Removes a file or a whole tree; nothing there is fine. It stays away: what is recorded as removed must not come
   * back after a power cut, for nobody would remove it again.
   */
  remove(path: string): Promise<void>;
  /** Names in a directory; none where there is no directory. */
  list(directory: string): Promise<readonly string[]>;
  /** Bytes of a regular file; undefined where there is none. */
  sizeOf(file: string): Promise<number | undefined>;
  /** Bytes of all regular files in a directory and below; links are not followed. 0 where there is none. */
  treeBytes(directory: string): Promise<number>;
  /** The last `maxBytes` of a file, fewer where it is shorter; undefined where there is none. */
  tail(file: string, maxBytes: number): Promise<Buffer | undefined>;
  isExecutable(file: string): Promise<boolean>;
  /** Bytes that this process may still write to the file system holding `path`. */
  freeBytes(path: string): Promise<number>;
}

export const durableFiles: DurableFiles = {
  ensureDirectory,

  create: async (file, mode = 0o600) => {
    mkdirSync(dirname(file), { recursive: true });
    const handle = await open(file, "w", mode);
    return {
      write: async (chunk) => {
        for (let offset = 0; offset < chunk.length; ) {
          offset += (await handle.write(chunk, offset)).bytesWritten;
        }
      },
      finish: async () => {
        try {
          await handle.sync();
        } finally {
          await handle.close();
        }
      },
      abandon: () => handle.close(),
    };
  },

  openGrowing: openGrowingFile,

  replace: async (file, content) => {
    const temporary = join(dirname(file), `.${basename(file)}.tmp`);
    const handle = await open(temporary, "w", 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    await syncDirectory(dirname(file));
  },

  readText: async (file, maxBytes) => {
    try {
      const handle = await open(file, "r");
      try {
        const { size } = await handle.stat();
        return size > maxBytes ? undefined : await handle.readFile("utf8");
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  },

  move: async (from, to) => {
    await rename(from, to);
    fsyncDirectory(dirname(to));
    if (dirname(from) !== dirname(to)) fsyncDirectory(dirname(from));
  },

  remove: async (path) => {
    try {
      await lstat(path);
    } catch (error) {
      if (isNotFound(error)) return;
      throw error;
    }
    await rm(path, { recursive: true, force: true, maxRetries: 2 });
    await syncDirectory(dirname(path));
  },

  list: async (directory) => {
    try {
      return await readdir(directory);
    } catch (error) {
      if (isNotFound(error)) return [];
      throw error;
    }
  },

  sizeOf: async (file) => {
    try {
      const stats = await stat(file);
      return stats.isFile() ? stats.size : undefined;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  },

  treeBytes,

  tail: async (file, maxBytes) => {
    try {
      const handle = await open(file, "r");
      try {
        const { size } = await handle.stat();
        const buffer = Buffer.alloc(Math.min(size, maxBytes));
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, size - buffer.length);
        return buffer.subarray(0, bytesRead);
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  },

  isExecutable: async (file) => {
    try {
      await access(file, constants.X_OK);
      return (await stat(file)).isFile();
    } catch {
      return false;
    }
  },

  freeBytes,
};

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function treeBytes(directory: string): Promise<number> {
  let bytes = 0;
  try {
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) bytes += await treeBytes(path);
      else if (entry.isFile()) bytes += (await lstat(path)).size;
    }
  } catch (error) {
    // Apps may remove files of theirs while they are counted.
    if (!isNotFound(error)) throw error;
  }
  return bytes;
}

function isNotFound(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR";
}
