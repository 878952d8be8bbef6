import { type Dirent, lstatSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { BuildError } from "./errors.ts";
import type { Selection } from "./selection.ts";

/** One thing to pack. Paths are relative to the package's top. */
export type Member =
  | { readonly kind: "directory"; readonly path: string }
  | {
      readonly kind: "file";
      readonly path: string;
      readonly executable: boolean;
      readonly sizeBytes: number;
    }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

/**
 * Everything that a selection takes from a directory, with the directories that lead to it, in one order on every
 * machine: by the bytes of the paths. Links are taken as links and never followed.
 *
 * @throws BuildError for what no package can hold
 */
export function listMembers(root: string, selection: Selection): readonly Member[] {
  const members = listDirectory(root, "", selection);
  return members
    .map((member) => ({ member, key: Buffer.from(member.path) }))
    .sort((a, b) => Buffer.compare(a.key, b.key))
    .map(({ member }) => member);
}

function listDirectory(root: string, directory: string, selection: Selection): Member[] {
  const members: Member[] = [];
  for (const entry of readdirSync(join(root, directory), { withFileTypes: true })) {
    const path = directory === "" ? entry.name : `${directory}/${entry.name}`;
    const taken = selection.takes(path);
    if (entry.isDirectory()) {
      const inside = selection.mayHold(path) ? listDirectory(root, path, selection) : [];
      if (taken || inside.length > 0) members.push({ kind: "directory", path }, ...inside);
    } else if (taken) {
      members.push(memberOf(root, path, entry));
    }
  }
  return members;
}

function memberOf(root: string, path: string, entry: Dirent): Member {
  if (path.includes("\ufffd")) {
    throw new BuildError(`${JSON.stringify(path)} has a name that is not valid UTF-8: exclude or rename it`);
  }
  const file = join(root, path);
  if (entry.isSymbolicLink()) return { kind: "link", path, target: readlinkSync(file) };
  const stats = lstatSync(file);
  if (!stats.isFile()) {
    throw new BuildError(
      `${JSON.stringify(path)} is neither file, directory nor link: exclude it, the engine would refuse it`,
    );
  }
  return { kind: "file", path, executable: (stats.mode & 0o100) !== 0, sizeBytes: stats.size };
}
