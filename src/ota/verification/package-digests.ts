import { createHash } from "node:crypto";
import { open } from "node:fs/promises";

export interface PackageDigests {
  /** 64 hexadecimal digits, lower case. */
  readonly sha256: string;
  /** BLAKE2b-512, which a prehashed minisign signature is of. 64 bytes. */
  readonly blake2b512: Uint8Array;
}

const chunkBytes = 256 * 1024;

/**
 * Both digests of a file in one pass, through one buffer: memory does not grow with the file.
 * @throws the operating system's error; the signal's reason when aborted
 */
export async function digestPackage(path: string, signal?: AbortSignal): Promise<PackageDigests> {
  const sha256 = createHash("sha256");
  const blake2b512 = createHash("blake2b512");
  const handle = await open(path, "r");
  try {
    const buffer = Buffer.allocUnsafeSlow(chunkBytes);
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await handle.read(buffer, 0, chunkBytes, null);
      if (bytesRead === 0) break;
      const chunk = buffer.subarray(0, bytesRead);
      sha256.update(chunk);
      blake2b512.update(chunk);
    }
  } finally {
    await handle.close();
  }
  return { sha256: sha256.digest("hex"), blake2b512: blake2b512.digest() };
}
