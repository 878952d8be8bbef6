import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "tar";

export interface PackageFile {
  readonly content: string;
  /** Default 0644. */
  readonly mode?: number;
}

/** Packs files as a developer would with `tar czf`. */
export async function packageTarball(
  files: Readonly<Record<string, PackageFile>>,
): Promise<Uint8Array<ArrayBuffer>> {
  const directory = mkdtempSync(join(tmpdir(), "package-"));
  try {
    for (const [name, { content, mode }] of Object.entries(files)) {
      writeFileSync(join(directory, name), content, { mode: mode ?? 0o644 });
    }
    const file = join(directory, ".package.tar.gz");
    await create({ gzip: true, file, cwd: directory, portable: true }, Object.keys(files));
    return new Uint8Array(readFileSync(file));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
