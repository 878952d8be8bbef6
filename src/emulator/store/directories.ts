import { mkdir, open } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** Makes a directory for this user alone, with those above it, so that all of them survive a power cut. */
export async function makeDirectory(directory: string): Promise<void> {
  const firstMade = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (firstMade === undefined) return;
  for (let current = resolve(directory); ; current = dirname(current)) {
    await syncDirectory(dirname(current));
    if (current === resolve(firstMade) || current === dirname(current)) return;
  }
}

/** Makes new, renamed and removed names in a directory durable. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
