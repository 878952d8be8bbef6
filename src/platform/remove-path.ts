import { rmSync, statSync, truncateSync } from "node:fs";

/** Removes a file or a whole tree; nothing there is fine. */
export function removePath(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

/** Empties a file that has grown above `maxBytes`. Only for files that are written in append mode. */
export function emptyFileAbove(file: string, maxBytes: number): void {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats !== undefined && stats.size > maxBytes) truncateSync(file, 0);
}
