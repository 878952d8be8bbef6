import { watch } from "node:fs";
import { setTimeout } from "node:timers/promises";

const pollMs = 200;

/**
 * Something to wait for between two looks: any change in a directory, noticed at once where the system can, and a look
 * every now and then where it can't.
 */
export function changesOf(directory: string): () => Promise<void> {
  let wake: () => void = () => undefined;
  let hasChanged = false;
  try {
    const watcher = watch(directory, () => {
      hasChanged = true;
      wake();
    });
    // The directory is gone, or too many are watched: the clock will do.
    watcher.on("error", () => watcher.close());
  } catch {
    // Likewise.
  }
  return async () => {
    if (!hasChanged) {
      const change = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const timer = new AbortController();
      const { signal } = timer;
      await Promise.race([change, setTimeout(pollMs, undefined, { signal }).catch(() => undefined)]);
      timer.abort();
    }
    hasChanged = false;
  };
}
