import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The directory that holds `bin/` and `dist/`. */
export function installationPath(): string {
  let directory = import.meta.dirname;
  while (!existsSync(join(directory, "package.json")) && directory !== dirname(directory)) {
    directory = dirname(directory);
  }
  return directory;
}
