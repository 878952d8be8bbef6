import { createHash, type Hash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  futimesSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { PackageRefusedError } from "./errors.ts";
import { MemberTree, memberPath, refused, requireTarget } from "./member-tree.ts";
import type { UnpackRequest } from "./protocol.ts";
import type { WrittenFile } from "./read-back.ts";
import { type SyncSystem, syncTree } from "./sync-tree.ts";

/** Smallest piece of disk that a member takes, and about what its inode costs. */
const blockBytes = 4096;
const inodeBytes = 256;

interface OpenFile {
  readonly path: string;
  readonly fd: number;
  readonly mode: number;
  readonly mtime: Date | undefined;
  readonly sizeBytes: number;
  readonly hash: Hash;
  writtenBytes: number;
}

/** Header fields can hold times that no file system takes. */
function isSane(mtime: Date | undefined): mtime is Date {
  return mtime !== undefined && mtime.getTime() >= 0 && mtime.getTime() < 2 ** 32 * 1000;
}

export interface MemberAttributes {
  /** The twelve permission bits; undefined where the archive has none. */
  readonly mode: number | undefined;
  readonly mtime: Date | undefined;
}

/**
 * Writes members below one fresh directory. Owner is whoever the engine runs as; setuid, setgid and sticky bits are
 * dropped (an install.sh can set them); the owner can always read and write.
 */
export class TreeWriter {
  readonly tree: MemberTree;
  /** By path, names of hard links included: what `readBack` is to find. */
  readonly written = new Map<string, WrittenFile>();
  files = 0;
  bytes = 0;
  private readonly root: string;
  private readonly maxBytes: number;
  private usedBytes = 0;
  private current: OpenFile | undefined;

  constructor({ into, maxBytes, maxMembers, maxNameBytes }: UnpackRequest) {
    this.root = into;
    this.maxBytes = maxBytes;
    this.tree = new MemberTree({ maxMembers, maxNameBytes });
  }

  /** Creates the directory itself. */
  begin(): void {
    mkdirSync(this.root, { mode: 0o700 });
  }

  directory(name: string, { mode }: MemberAttributes): void {
    const path = memberPath(name);
    // The top is the version's own directory, whatever the one was that it was packed from.
    if (path === "") return;
    this.makeAncestors(path);
    this.makeDirectory(path, mode === undefined ? 0o755 : (mode & 0o777) | 0o700);
  }

  openFile(name: string, sizeBytes: number, { mode, mtime }: MemberAttributes): void {
    const path = this.place(name);
    this.use(blockBytes);
    this.tree.put(path, { kind: "file" });
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    this.current = {
      path,
      fd: openSync(join(this.root, path), flags, 0o600),
      mode: mode === undefined ? 0o644 : (mode & 0o777) | 0o600,
      mtime,
      sizeBytes,
      hash: createHash("sha256"),
      writtenBytes: 0,
    };
    this.files += 1;
  }

  write(chunk: Uint8Array): void {
    const { current } = this;
    if (current === undefined) return;
    // The first block was counted when the file was opened.
    const blocksBefore = Math.max(1, Math.ceil(current.writtenBytes / blockBytes));
    const blocksAfter = Math.max(1, Math.ceil((current.writtenBytes + chunk.length) / blockBytes));
    this.use((blocksAfter - blocksBefore) * blockBytes);
    for (let offset = 0; offset < chunk.length; ) offset += writeSync(current.fd, chunk, offset);
    current.hash.update(chunk);
    current.writtenBytes += chunk.length;
    this.bytes += chunk.length;
  }

  closeFile(): void {
    const { current } = this;
    if (current === undefined) return;
    this.current = undefined;
    try {
      const { path, mode, sizeBytes, hash } = current;
      if (current.writtenBytes !== sizeBytes) throw refused(path, "is cut short");
      this.written.set(path, { mode, sizeBytes, digest: hash.digest("binary") });
      fchmodSync(current.fd, current.mode);
      // Python compares it with the time noted in compiled files.
      if (isSane(current.mtime)) futimesSync(current.fd, current.mtime, current.mtime);
    } finally {
      closeSync(current.fd);
    }
  }

  symbolicLink(name: string, target: string): void {
    requireTarget(name, target);
    const path = this.place(name);
    this.use(inodeBytes);
    this.tree.put(path, { kind: "link", target });
    symlinkSync(target, join(this.root, path));
  }

  hardLink(name: string, target: string): void {
    const existing = memberPath(target);
    if (this.tree.get(existing)?.kind !== "file") {
      throw refused(
        name,
        `is a hard link to ${JSON.stringify(target.slice(0, 200))}, which is no earlier file`,
      );
    }
    if (memberPath(name) === existing) return;
    const path = this.place(name);
    this.use(inodeBytes);
    this.tree.put(path, { kind: "file" });
    linkSync(join(this.root, existing), join(this.root, path));
    const file = this.written.get(existing);
    if (file !== undefined) this.written.set(path, file);
  }

  /** Gives directories their own modes and brings everything to disk. */
  async finish(system: SyncSystem): Promise<void> {
    const paths: string[] = [];
    for (const [path, member] of this.tree.entries()) {
      if (member.kind === "directory" && path !== "") chmodSync(join(this.root, path), member.mode);
      if (member.kind !== "link") paths.push(path);
    }
    await syncTree(this.root, paths, system);
    chmodSync(this.root, 0o755);
  }

  /** Makes room for a member that is no directory: its ancestors exist, an earlier one of its name is gone. */
  private place(name: string): string {
    const path = memberPath(name);
    if (path === "") throw refused(name, "has no name");
    this.makeAncestors(path);
    const present = this.tree.get(path);
    if (present !== undefined && present.kind !== "directory") unlinkSync(join(this.root, path));
    return path;
  }

  private makeAncestors(path: string): void {
    for (const ancestor of this.tree.missingAncestors(path)) this.makeDirectory(ancestor, 0o755);
  }

  private makeDirectory(path: string, mode: number): void {
    const isNew = this.tree.get(path) === undefined;
    this.tree.put(path, { kind: "directory", mode });
    if (!isNew) return;
    this.use(blockBytes);
    mkdirSync(join(this.root, path), { mode: 0o700 });
  }

  private use(bytes: number): void {
    this.usedBytes += bytes;
    if (this.usedBytes > this.maxBytes) {
      throw new PackageRefusedError(
        `the package unpacks to more than the free disk space (${this.maxBytes} bytes without the reserve)`,
      );
    }
  }
}
