/** For control runs: from now on nothing that this process does is brought to disk before the kernel cares to. */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

export function neverSync(): void {
  fs.fsyncSync = () => undefined;
  syncBuiltinESMExports();
}
