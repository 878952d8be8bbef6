import { createHash } from "node:crypto";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { buildSync } from "esbuild";

const root = join(import.meta.dirname, "../..");

/**
 * A program as it ships: one bundle, made from the sources under test (it starts in a third of the time).
 * Kept under its content's hash, so that test files running side by side share it.
 *
 * @param entry its main module, from the top of the repository
 */
export function bundleProgram(entry: string): string {
  const { outputFiles } = buildSync({
    entryPoints: [join(root, entry)],
    write: false,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node22",
    // Both find their native parts by their own paths.
    external: ["better-sqlite3", "esbuild"],
    banner: {
      js: 'import{createRequire as __gweRequire}from"node:module";const require=__gweRequire(import.meta.url);',
    },
  });
  const content = outputFiles[0]?.contents ?? new Uint8Array();
  const directory = join(root, "node_modules/.cache/gateway-engine-tests");
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 16);
  const name = `${basename(dirname(entry))}-${basename(entry, ".ts")}`;
  const file = join(directory, `${name}-${hash}.mjs`);
  if (existsSync(file)) return file;
  mkdirSync(directory, { recursive: true });
  writeFileSync(`${file}.${process.pid}`, content);
  renameSync(`${file}.${process.pid}`, file);
  return file;
}
