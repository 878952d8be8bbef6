import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { extract } from "tar";
import { z } from "zod";
import { run } from "./run.ts";
import { stripElf } from "./strip-elf.ts";

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({ version: z.string().optional(), integrity: z.string().optional() }),
  ),
});

/**
 * Puts Node for `arch` into `target`, stripped, as the lock names it: from npm's registry or npm's own cache.
 *
 * @throws Error when what arrives is not what the lock names
 */
export async function placeNodeRuntime(
  root: string,
  arch: string,
  target: string,
  work: string,
): Promise<void> {
  const name = `node-linux-${arch}`;
  const { packages } = lockSchema.parse(JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")));
  const locked = packages[`node_modules/${name}`];
  if (locked?.integrity === undefined) throw new Error(`package-lock.json has no integrity for ${name}`);
  const directory = join(work, name);
  mkdirSync(directory, { recursive: true });
  const [file] = run("npm", ["pack", "--silent", `${name}@${locked.version}`], directory)
    .trim()
    .split("\n");
  const archive = join(directory, file ?? "");
  const digest = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
  if (digest !== locked.integrity) throw new Error(`${name} is not the package that package-lock.json names`);
  await extract({ file: archive, cwd: directory });
  mkdirSync(join(target, "bin"), { recursive: true });
  writeFileSync(join(target, "bin/node"), stripElf(readFileSync(join(directory, "package/bin/node"))));
  chmodSync(join(target, "bin/node"), 0o755);
  copyFileSync(join(directory, "package/LICENSE"), join(target, "LICENSE"));
}
