import { readdir, readFile, statfs } from "node:fs/promises";

/** Blocks and inodes as `statfs` counts them. */
export interface FilesystemCounts {
  readonly blockBytes: number;
  readonly blocks: number;
  readonly freeBlocks: number;
  /** What is left to those who are not root. */
  readonly availableBlocks: number;
  /** 0 where the file system has no fixed number (btrfs, vfat). */
  readonly inodes: number;
  readonly freeInodes: number;
}

/** The kernel's and the system's files that tell what a machine is. Nothing throws: what is not there is not known. */
export interface MachineFiles {
  /** Undefined where there is no such file, or the kernel refuses (the speed of a link that is down). */
  read(path: string): Promise<string | undefined>;
  /** Sorted names; none where there is no such directory. */
  list(path: string): Promise<readonly string[]>;
  /** Undefined where nothing is mounted there any more, or it is not ours to see. */
  usage(mountPoint: string): Promise<FilesystemCounts | undefined>;
}

export const machineFiles: MachineFiles = {
  read: async (path) => {
    try {
      return await readFile(path, "utf8");
    } catch {
      return undefined; // The interface promises so: on one kind of machine or another any of them is missing.
    }
  },
  list: async (path) => {
    try {
      return (await readdir(path)).sort();
    } catch {
      return []; // As above.
    }
  },
  usage: async (mountPoint) => {
    try {
      const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(mountPoint);
      return {
        blockBytes: bsize,
        blocks,
        freeBlocks: bfree,
        availableBlocks: bavail,
        inodes: files,
        freeInodes: ffree,
      };
    } catch {
      return undefined; // As above; df prints no row for it either.
    }
  },
};
