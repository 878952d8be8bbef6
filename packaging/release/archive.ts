import { createHash } from "node:crypto";
import { chmodSync, lstatSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "tar";

/** Paths of all files below `directory`, relative to it, in an order that depends on nothing but them. */
function filesIn(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((path) => !lstatSync(join(directory, path)).isDirectory())
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** Bytes of all files below `directory`. */
export function bytesIn(directory: string): number {
  return filesIn(directory).reduce((sum, path) => sum + lstatSync(join(directory, path)).size, 0);
}

/** Writes `SHA256SUMS` of all files but those that vendors are to change. */
export function writeSums(directory: string, isVendors: (path: string) => boolean): void {
  const lines = filesIn(directory)
    .filter((path) => !isVendors(path))
    .map((path) => `${sha256(join(directory, path))}  ${path}\n`);
  writeFileSync(join(directory, "SHA256SUMS"), lines.join(""));
}

export function sha256(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

/** Packs `parent`/`name` bit for bit the same wherever and whenever it is done: order, modes, owners and times are set. */
export async function packArchive(parent: string, name: string, file: string, time: Date): Promise<void> {
  const paths = readdirSync(join(parent, name), { recursive: true, encoding: "utf8" }).map((path) =>
    join(name, path),
  );
  paths.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  for (const path of [name, ...paths]) {
    const mode = lstatSync(join(parent, path)).mode;
    chmodSync(join(parent, path), mode & 0o111 ? 0o755 : 0o644);
  }
  await create({ file, cwd: parent, portable: true, noDirRecurse: true, mtime: time, gzip: { level: 9 } }, [
    name,
    ...paths,
  ]);
}
