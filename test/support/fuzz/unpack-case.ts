import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { PackageRefusedError } from "../../../src/ota/worker/errors.ts";
import { unpackPackage } from "../../../src/ota/worker/unpack.ts";
import { syncFileSystem } from "../../../src/platform/sync-file-system.ts";

const limits = { maxBytes: 10_000_000, maxMembers: 1_000, maxNameBytes: 100_000 };
/** Longer than any package of that size takes, on whatever machine. */
const maxMs = 20_000;

class UnsafeError extends Error {
  override readonly name = "UnsafeError";
}

/**
 * Unpacks a package below `directory` as the worker does, and looks at what that did to the file system.
 * @throws UnsafeError, or what the code under test should not have thrown
 */
export async function unpackSafely(directory: string, content: Buffer): Promise<"unpacked" | "refused"> {
  const home = join(directory, "home");
  const parent = join(home, "apps/meter");
  const into = join(parent, "new");
  mkdirSync(parent, { recursive: true });
  const file = join(home, "package");
  writeFileSync(file, content);
  const startedMs = performance.now();
  let outcome: "unpacked" | "refused";
  try {
    await unpackPackage({ task: "unpack", file, into, ...limits }, { syncFileSystem });
    outcome = "unpacked";
  } catch (error) {
    if (!(error instanceof PackageRefusedError)) throw error;
    outcome = "refused";
  }
  if (performance.now() - startedMs > maxMs) throw new UnsafeError("it took too long");
  requireOnly(directory, ["home"]);
  requireOnly(home, ["apps", "package"]);
  requireOnly(join(home, "apps"), ["meter"]);
  requireOnly(parent, ["new"]);
  requireHarmless(into, outcome === "unpacked");
  rmSync(home, { recursive: true });
  return outcome;
}

function requireOnly(directory: string, names: readonly string[]): void {
  const found = readdirSync(directory).sort();
  if (found.join("/") !== names.join("/")) throw new UnsafeError(`${directory} holds ${found.join(", ")}`);
}

/** Only files, directories and links, none with special bits; of a package that was accepted no link leads out. */
function requireHarmless(root: string, isAccepted: boolean): void {
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const stats = lstatSync(path);
    if (!stats.isFile() && !stats.isDirectory() && !stats.isSymbolicLink()) {
      throw new UnsafeError(`${path} is no file, directory or link`);
    }
    if (!stats.isSymbolicLink() && (stats.mode & 0o7000) !== 0)
      throw new UnsafeError(`${path} has special bits`);
    if (stats.isSymbolicLink() && isAccepted) requireInside(root, path);
  }
}

function requireInside(root: string, link: string): void {
  let end: string;
  try {
    end = realpathSync(link);
  } catch {
    end = resolve(dirname(link), readlinkSync(link));
  }
  if (end !== root && !end.startsWith(`${root}/`)) throw new UnsafeError(`${link} leads to ${end}`);
}
