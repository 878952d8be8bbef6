import { createHash } from "node:crypto";
import { chmodSync, lstatSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "tar";

/** Paths of all files below `directory`, relative to it, in an order that depends on nothing but them. */
export function filesIn(directory: string): readonly string[] {
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
  const names = setModes(parent, name);
  await create({ ...always(time), file, cwd: parent, gzip: { level: 9 } }, names);
}

/** A tar archive of all that is in `directory`, as `packArchive` makes it, under `./`. */
export async function tarOf(directory: string, time: Date): Promise<Buffer> {
  const names = setModes(directory, ".").map((path) => (path === "." ? path : `./${path}`));
  const stream = create({ ...always(time), cwd: directory }, names);
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Options of tar.create(): nothing of this machine, and the same time for all. */
function always(time: Date) {
  return {
    portable: true,
    noDirRecurse: true,
    mtime: time,
    onWriteEntry: (entry: { noMtime: boolean }): void => {
      // `portable` leaves out the time of directories, which then are from 1970.
      entry.noMtime = false;
    },
  };
}

/** @returns `name` in `parent` and all below it, in order; each of one of two modes */
function setModes(parent: string, name: string): string[] {
  const below = readdirSync(join(parent, name), { recursive: true, encoding: "utf8" })
    .map((path) => join(name, path))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  for (const path of [name, ...below]) {
    const stats = lstatSync(join(parent, path));
    if (!stats.isSymbolicLink()) chmodSync(join(parent, path), stats.mode & 0o111 ? 0o755 : 0o644);
  }
  return [name, ...below];
}
