/** The file system under the proof: ext4 as Debian makes and mounts it. */
import { rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { run } from "./programs.ts";
import type { Shell } from "./shell.ts";

const blockBytes = 4096;
/** Small groups, so that even this small disk has what every larger one has: a second super block. */
const blocksPerGroup = 8192;
const busyDeadlineMs = 10_000;

/** Makes an empty file system in a sparse file. */
export function makeFileSystem(image: string, bytes: number): void {
  rmSync(image, { force: true });
  run("truncate", "--size", String(bytes), image);
  run(
    "mkfs.ext4",
    ...["-q", "-b", String(blockBytes), "-g", String(blocksPerGroup)],
    ...["-E", "lazy_itable_init=0,lazy_journal_init=0", image],
  );
}

export interface Mounting {
  /** `e2fsck` had to see to it first: counted apart. */
  readonly repaired: boolean;
}

/**
 * Mounts a disk after a power cut, as a boot does: the file system's journal is replayed.
 *
 * ext4 counts on its super block, two sectors, to be written whole: where a cut tears it, its checksum is wrong and the
 * disk is not mounted before `e2fsck` has taken the second one, which it does by itself where groups have their usual
 * size. The journal is replayed all the same.
 *
 * @throws RigError when the file system is lost
 */
export async function mountState(shell: Shell, image: string, directory: string): Promise<Mounting> {
  const mount = ["mount", "-t", "ext4", "-o", "loop", image, directory];
  if ((await shell.statusOf(...mount)) === 0) return { repaired: false };
  // Its status tells of corrections, too: whether it did any good shows in mounting.
  await shell.statusOf("e2fsck", "-y", "-b", String(blocksPerGroup), "-B", String(blockBytes), image);
  await shell.run(...mount);
  return { repaired: true };
}

/** @throws RigError when something keeps it in use for long: what was started may still be ending */
export async function unmount(shell: Shell, directory: string): Promise<void> {
  const deadline = performance.now() + busyDeadlineMs;
  while ((await shell.statusOf("umount", directory)) !== 0) {
    if (performance.now() > deadline) return shell.run("umount", directory);
    await delay(20);
  }
}
