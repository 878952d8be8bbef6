import { spawn } from "node:child_process";
import { open } from "node:fs/promises";
import { join } from "node:path";

/** Up to so many, each by itself costs less than what other programs may have to be written with them. */
const fewPaths = 64;
const syncsAtOnce = 16;

/**
 * Brings a fresh tree to disk: content, names and modes. Many files go with their whole file system in one go
 * (`syncfs`, by the `sync` program, since Node has no call for it): each by itself makes a journalling file system
 * commit once for every few of them.
 *
 * @param root absolute
 * @param paths of all files and directories, below `root`
 * @throws the operating system's error
 */
export async function syncTree(root: string, paths: readonly string[]): Promise<void> {
  if (paths.length > fewPaths && (await syncFileSystem(root))) return;
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

/**
 * Whether the file system that holds a path is on disk now. Where it is not, or there is no such program, syncing each
 * file tells which one could not be written.
 */
function syncFileSystem(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const sync = spawn("sync", ["-f", path], {
      env: { ...process.env, PATH: "/usr/bin:/bin" },
      stdio: "ignore",
    });
    sync.once("error", () => resolve(false));
    sync.once("exit", (status) => resolve(status === 0));
  });
}
