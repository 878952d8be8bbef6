import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";

/**
 * A control group of a container's own, in each hierarchy that a systemd keeps its units in. systemd-nspawn would else use
 * that of its caller, and the systemds of two containers would take each other's processes for their own units'.
 */
export class OwnCgroup {
  /** One for each hierarchy. */
  readonly directories: readonly string[];

  constructor(name: string) {
    this.directories = hierarchies().map((directory) => join(directory, name));
    for (const directory of this.directories) mkdirSync(directory, { recursive: true });
  }

  /** The command that becomes `command` in this control group. */
  entering(command: readonly string[]): readonly string[] {
    const script =
      'while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit 1; shift; done; shift; exec "$@"';
    return ["sh", "-c", script, "sh", ...this.directories, "--", ...command];
  }

  /** Removes it; false while something in it is still ending. */
  isRemoved(): boolean {
    try {
      for (const directory of this.directories) removeTree(directory);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EBUSY") return false;
      throw error;
    }
  }
}

/** Where this process itself is in them. */
function hierarchies(): readonly string[] {
  const own = readFileSync("/proc/self/cgroup", "utf8").split("\n");
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
  return mounts.flatMap((line) => {
    const [, directory = "", type, options = ""] = line.split(" ");
    const isNamed = type === "cgroup" && options.split(",").includes("name=systemd");
    if (type !== "cgroup2" && !isNamed) return [];
    const start = isNamed ? /^\d+:name=systemd:/ : /^0::/;
    const place = own.find((entry) => start.test(entry))?.replace(start, "") ?? "/";
    return [join(directory, place)];
  });
}

/** Directories only: the files in them are the kernel's. */
function removeTree(directory: string): void {
  if (!existsSync(directory)) return;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(directory, entry.name));
  }
  rmdirSync(directory);
}
