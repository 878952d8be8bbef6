import type { Shell } from "./shell.ts";

export interface Mounting {
  /** The file system could only be mounted after `e2fsck -p`, which a gateway runs at boot: counted apart. */
  readonly checked: boolean;
}

/**
 * Mounts a disk after a power cut, as a boot does: the file system's journal is replayed.
 *
 * @throws RigError when the file system is lost even to `e2fsck -p`
 */
export async function mountState(shell: Shell, image: string, directory: string): Promise<Mounting> {
  const mount = ["mount", "-t", "ext4", "-o", "loop", image, directory];
  if ((await shell.statusOf(...mount)) === 0) return { checked: false };
  // Its status tells of corrections, too: whether it did any good shows in mounting.
  await shell.statusOf("e2fsck", "-p", image);
  await shell.run(...mount);
  return { checked: true };
}

export async function unmountState(shell: Shell, directory: string): Promise<void> {
  await shell.run("umount", directory);
}
