import { randomBytes } from "node:crypto";
import { renameSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { ensureDirectory, fsyncDirectory } from "./files.ts";

/** Makes `path` a symbolic link, in the place of whatever file or link was there, in one step; durable when it returns. */
export function placeLink(target: string, path: string): void {
  ensureDirectory(dirname(path));
  const temporary = join(dirname(path), `.${randomBytes(6).toString("hex")}.link`);
  symlinkSync(target, temporary);
  renameSync(temporary, path);
  fsyncDirectory(dirname(path));
}
