import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  lstatSync,
  openSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { dirname } from "node:path";
import { ensureDirectory, fsyncDirectory } from "./files.ts";

/**
 * Moves a file or symbolic link, across file systems too, with mode and owner; durable when it returns. May be
 * repeated: what has been moved already stays moved. At every instant one of the two names leads to the whole of it.
 */
export function moveFile(from: string, to: string): void {
  const stats = lstatSync(from, { throwIfNoEntry: false });
  if (stats === undefined) return;
  ensureDirectory(dirname(to));
  const temporary = `${to}.moving`;
  rmSync(temporary, { force: true });
  if (stats.isSymbolicLink()) symlinkSync(readlinkSync(from), temporary);
  else {
    copyFileSync(from, temporary);
    chownSync(temporary, stats.uid, stats.gid);
    chmodSync(temporary, stats.mode & 0o7777);
    const fd = openSync(temporary, "r");
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }
  renameSync(temporary, to);
  fsyncDirectory(dirname(to));
  rmSync(from);
  if (existsSync(dirname(from))) fsyncDirectory(dirname(from));
}
