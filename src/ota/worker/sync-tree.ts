import { open } from "node:fs/promises";
import { join } from "node:path";

/** Up to so many, each by itself costs less than what other programs may have to be written with them. */
const fewPaths = 64;
const syncsAtOnce = 16;

/** What unpacking asks of the operating system; the function of that name in `platform/`. */
export interface SyncSystem {
  readonly syncFileSystem: (path: string) => Promise<boolean>;
}

/**
 * Brings a fresh tree to disk: content, names and modes. Many files go with their whole file system in one go:
 * each by itself makes a journalling file system
 * commit once for every few of them.
 *
 * @param root absolute
 * @param paths of all files and directories, below `root`
 * @throws the operating system's error
 */
export async function syncTree(
  root: string,
  paths: readonly string[],
  { syncFileSystem }: SyncSystem,
): Promise<void> {
  if (paths.length > fewPaths && (await syncFileSystem(root))) return;
  // Also where that failed: each file by itself tells which one could not be written.
  let next = 0;
  const syncSome = async (): Promise<void> => {
    for (let path = paths[next++]; path !== undefined; path = paths[next++]) {
      const handle = await open(join(root, path), "r");
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    }
  };
  // Together, so that the file system can commit several at once.
  await Promise.all(Array.from({ length: syncsAtOnce }, syncSome));
}
