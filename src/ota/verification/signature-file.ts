import { isNotFound, readSmallFile } from "./bounded-file.ts";
import { maxSignatureBytes } from "./minisign-format.ts";
import type { SignatureAnswer } from "./signature-source.ts";

/**
 * Reads a signature that lies beside its package.
 * @throws NotAFileError; the operating system's error, but for ENOENT, which is an answer
 */
export async function readSignatureFile(path: string): Promise<SignatureAnswer> {
  try {
    const { bytes } = await readSmallFile(path, maxSignatureBytes);
    return { kind: "found", bytes };
  } catch (error) {
    if (isNotFound(error)) return { kind: "none", lookedFor: `no file ${path}` };
    throw error;
  }
}
