import type { ConfigIo } from "../config/index.ts";
import { ensureDirectory, writeFileAtomic } from "../platform/files.ts";
import { groupId } from "../platform/groups.ts";
import { acquireInstanceLock } from "../platform/instance-lock.ts";

/** The real operating system, for the configuration's files. */
export const configIo: ConfigIo = { ensureDirectory, writeFileAtomic, acquireInstanceLock, groupId };
