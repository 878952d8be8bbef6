import { mkdirSync } from "node:fs";
import { run, statusOf } from "./programs.ts";

export interface Mounting {
  /** The file system could only be mounted after `e2fsck -p`, which a gateway runs at boot: counted apart. */
  readonly checked: boolean;
}

/**
 * Mounts a disk after a power cut, as a boot does: the file system's journal is replayed.
 *
 * @throws RigError when the file system is lost even to `e2fsck -p`
 */
export function mountState(image: string, directory: string): Mounting {
  mkdirSync(directory, { recursive: true });
  const options = ["-t", "ext4", "-o", "loop", image, directory];
  if (statusOf("mount", ...options) === 0) return { checked: false };
  // 1: errors corrected.
  statusOf("e2fsck", "-p", image);
  run("mount", ...options);
  return { checked: true };
}

export function unmountState(directory: string): void {
  run("umount", directory);
}
