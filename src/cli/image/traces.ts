import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const maxFileBytes = 8 * 1024 * 1024;

/** Files below the directories that hold one of the texts: what an application has noted of the gateway's identity. */
export function filesWith(texts: readonly string[], directories: readonly string[]): readonly string[] {
  const wanted = texts.filter((text) => text.length >= 8).map((text) => Buffer.from(text));
  if (wanted.length === 0) return [];
  return directories.flatMap(filesIn).filter((file) => {
    const content = readFileSync(file);
    return wanted.some((text) => content.includes(text));
  });
}

function filesIn(directory: string): readonly string[] {
  if (lstatSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((path) => join(directory, path))
    .filter((file) => {
      const stats = lstatSync(file, { throwIfNoEntry: false });
      return stats?.isFile() === true && stats.size <= maxFileBytes;
    })
    .sort();
}
