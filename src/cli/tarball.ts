import { gzipSync } from "node:zlib";
import { Header } from "tar";

/** A file of an archive that is made in memory. */
export interface TarballFile {
  /** Relative; at most 100 bytes. */
  readonly path: string;
  readonly content: string | Uint8Array;
  /** 0644 by default. */
  readonly mode?: number;
}

const blockBytes = 512;

/** A compressed tar archive of small files, all of root. @param modifiedAt of every member */
export function tarball(files: readonly TarballFile[], modifiedAt: Date): Buffer {
  const blocks = files.flatMap(({ path, content, mode = 0o644 }) => {
    const data = Buffer.from(content);
    const header = Buffer.alloc(blockBytes);
    new Header({ path, mode, size: data.length, mtime: modifiedAt, uid: 0, gid: 0, type: "File" }).encode(
      header,
    );
    return [header, data, Buffer.alloc((blockBytes - (data.length % blockBytes)) % blockBytes)];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * blockBytes)]));
}
