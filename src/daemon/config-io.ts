import type { ConfigIo } from "../config/index.ts";
import { ensureDirectory, writeFileAtomic } from "../platform/files.ts";
import { groupId } from "../platform/groups.ts";
import { acquireInstanceLock } from "../platform/instance-lock.ts";
import { removePath } from "../platform/remove-path.ts";

/** The real operating system, for the configuration's files. */
export const configIo = {
  ensureDirectory,
  writeFileAtomic,
  acquireInstanceLock,
  groupId,
  removePath,
} satisfies ConfigIo & { removePath: unknown };
