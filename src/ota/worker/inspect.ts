import { closeSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import type { MemberTree } from "./member-tree.ts";
import type { UnpackedPackage } from "./protocol.ts";

const markerFiles = ["install.sh", "setup.py", "supervisor.conf"];

/** What an app's top directory holds to be installed with. Its links are known to stay inside. */
export function inspectDirectory(
  top: string,
): Pick<UnpackedPackage, "installScript" | "setupScript" | "supervisorConf"> {
  return {
    installScript: inspectScript(join(top, "install.sh")),
    setupScript: isFile(join(top, "setup.py")),
    supervisorConf: isFile(join(top, "supervisor.conf")),
  };
}

/**
 * The directory that is the app's own top: "" or the one that wraps everything. Both forms occur in the field.
 */
export function findRoot(tree: MemberTree): string {
  if (markerFiles.some((name) => tree.get(name) !== undefined)) return "";
  const tops: string[] = [];
  for (const [path, { kind }] of tree.entries()) {
    // macOS' tar adds `._name` files beside what it packs.
    if (path === "" || path.includes("/") || path.startsWith("._")) continue;
    if (kind !== "directory") return "";
    tops.push(path);
  }
  return tops.length === 1 ? (tops[0] ?? "") : "";
}

function inspectScript(file: string): UnpackedPackage["installScript"] {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (!stats?.isFile()) return null;
  const start = Buffer.alloc(256);
  const fd = openSync(file, "r");
  try {
    const line = start.toString("utf8", 0, readSync(fd, start, 0, start.length, 0)).split("\n")[0] ?? "";
    const shebang = /^#![ \t]*([^ \t]+)/.exec(line);
    return { executable: (stats.mode & 0o111) !== 0, interpreter: shebang?.[1] ?? null };
  } finally {
    closeSync(fd);
  }
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}
