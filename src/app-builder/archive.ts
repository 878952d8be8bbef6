import { open } from "node:fs/promises";
import { join } from "node:path";
import { Gzip } from "fflate";
import { Header, type HeaderData, Pax } from "tar";
import { BuildError } from "./errors.ts";
import type { Member } from "./members.ts";

const blockBytes = 512;
/** The compressor's output depends on how its input is cut, so it is always cut alike. */
const pieceBytes = 64 * 1024;

/**
 * Writes members as a compressed tar archive whose bytes depend on nothing but names, contents, link targets and x
 * bits: owner root, modes 0644 and 0755, one time for all. The compressor is JavaScript, of one fixed version: the
 * zlib that a Node was built with decides what its output is (Node's own and Debian's differ).
 *
 * @param modifiedS seconds since 1970, for every member
 * @throws BuildError when a file changes meanwhile
 */
export async function writeArchive(
  root: string,
  members: readonly Member[],
  modifiedS: number,
  write: (chunk: Uint8Array) => Promise<void>,
): Promise<void> {
  const compressed: Uint8Array[] = [];
  // `mem` would otherwise be guessed from the first piece's length with a logarithm.
  const gzip = new Gzip({ level: 9, mem: 12, mtime: 0 }, (chunk) => compressed.push(chunk));
  for await (const piece of inPieces(tarStream(root, members, modifiedS))) {
    gzip.push(piece);
    for (const chunk of compressed.splice(0)) await write(chunk);
  }
  gzip.push(new Uint8Array(0), true);
  for (const chunk of compressed) await write(chunk);
}

async function* tarStream(
  root: string,
  members: readonly Member[],
  modifiedS: number,
): AsyncGenerator<Uint8Array> {
  const mtime = new Date(modifiedS * 1000);
  for (const member of members) {
    yield header(member, mtime);
    if (member.kind === "file") yield* content(root, member);
  }
  yield Buffer.alloc(2 * blockBytes);
}

function header(member: Member, mtime: Date): Uint8Array {
  const common = { mtime, uid: 0, gid: 0, size: 0 };
  const data = ((): HeaderData => {
    switch (member.kind) {
      case "directory":
        return { ...common, type: "Directory", path: `${member.path}/`, mode: 0o755 };
      case "link":
        return { ...common, type: "SymbolicLink", path: member.path, mode: 0o777, linkpath: member.target };
      case "file": {
        const mode = member.executable ? 0o755 : 0o644;
        return { ...common, type: "File", path: member.path, mode, size: member.sizeBytes };
      }
    }
  })();
  const block = Buffer.alloc(blockBytes);
  const needsPax = new Header(data).encode(block);
  return needsPax ? Buffer.concat([new Pax(data).encode(), block]) : block;
}

async function* content(
  root: string,
  { path, sizeBytes }: Extract<Member, { kind: "file" }>,
): AsyncGenerator<Uint8Array> {
  const changed = (): BuildError => new BuildError(`${JSON.stringify(path)} changed while it was packed`);
  const handle = await open(join(root, path), "r");
  try {
    let left = sizeBytes;
    for await (const chunk of handle.createReadStream({ highWaterMark: 256 * 1024, autoClose: false })) {
      left -= (chunk as Buffer).length;
      if (left < 0) throw changed();
      yield chunk as Buffer;
    }
    if (left > 0) throw changed();
  } finally {
    await handle.close();
  }
  const padding = (blockBytes - (sizeBytes % blockBytes)) % blockBytes;
  if (padding > 0) yield Buffer.alloc(padding);
}

/** The same bytes in pieces of one length, the last excepted. Each piece is a buffer of its own. */
async function* inPieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let piece = new Uint8Array(pieceBytes);
  let filled = 0;
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length; ) {
      const part = chunk.subarray(from, from + pieceBytes - filled);
      piece.set(part, filled);
      filled += part.length;
      from += part.length;
      if (filled < pieceBytes) continue;
      yield piece;
      piece = new Uint8Array(pieceBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}
