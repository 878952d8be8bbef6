import type { ConfigIo } from "../../src/config/index.ts";
import { ensureDirectory, writeFileAtomic } from "../../src/platform/files.ts";
import { groupId } from "../../src/platform/groups.ts";
import { acquireInstanceLock } from "../../src/platform/instance-lock.ts";

/** The real operating system, as the daemon and the commands wire it. */
export const realConfigIo: ConfigIo = { ensureDirectory, writeFileAtomic, acquireInstanceLock, groupId };
