import { spawn } from "node:child_process";

/**
 * Brings the file system that holds a path to disk as a whole (`syncfs`, by the `sync` program, since Node has no call
 * for it). Resolves to whether it is there now: false, too, where there is no such program.
 */
export function syncFileSystem(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const sync = spawn("sync", ["-f", path], {
      env: { ...process.env, PATH: "/usr/bin:/bin" },
      stdio: "ignore",
    });
    sync.once("error", () => resolve(false));
    sync.once("exit", (status) => resolve(status === 0));
  });
}
