import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { describeError } from "../../core/errors.ts";
import { isNotFound, readSmallFile } from "./bounded-file.ts";
import { maxPublicKeyBytes } from "./minisign-format.ts";
import {
  isKeyDirectoryFile,
  type KeyDirectoryEntry,
  maxRevocationBytes,
  readTrustedKeys,
  revocationFile,
  type TrustedKeys,
  unreadableKeys,
} from "./trusted-keys.ts";

/**
 * Reads the key directory (`etc/keys`). Read anew for each package: what an operator changes there holds at once.
 * Never rejects: what cannot be read is a problem of the answer, and never looks like no keys.
 */
export async function loadTrustedKeys(directory: string): Promise<TrustedKeys> {
  let names: readonly string[];
  try {
    if (isWritableByAll((await stat(directory)).mode))
      return unreadableKeys(`${directory}: ${writableByAll}`);
    names = (await readdir(directory)).filter(isKeyDirectoryFile).sort();
  } catch (error) {
    return isNotFound(error)
      ? readTrustedKeys([])
      : unreadableKeys(`${directory} cannot be read: ${describeError(error)}`);
  }
  return readTrustedKeys(await Promise.all(names.map((name) => readEntry(directory, name))));
}

async function readEntry(directory: string, name: string): Promise<KeyDirectoryEntry> {
  const maxBytes = name === revocationFile ? maxRevocationBytes : maxPublicKeyBytes;
  try {
    const { bytes, mode } = await readSmallFile(join(directory, name), maxBytes);
    if (isWritableByAll(mode)) return { name, problem: writableByAll };
    if (bytes.length > maxBytes) return { name, problem: `longer than ${maxBytes} bytes` };
    return { name, bytes };
  } catch (error) {
    return { name, problem: `cannot be read: ${describeError(error)}` };
  }
}

// Any app on the gateway could have put its own key there.
const writableByAll = "everybody may write to it: chmod o-w";

function isWritableByAll(mode: number): boolean {
  return (mode & 0o002) !== 0;
}
