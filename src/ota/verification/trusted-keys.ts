import type { KeyId, PublicKey } from "./minisign-format.ts";
import { parsePublicKey } from "./minisign-format.ts";

/** The file beside the keys that lists the ids of those not to be trusted any more. */
export const revocationFile = "revoked";
const keySuffix = ".pub";
export const maxRevocationBytes = 262_144;

/** One file of the key directory, or why it could not be read. */
export type KeyDirectoryEntry =
  | { readonly name: string; readonly bytes: Uint8Array }
  | { readonly name: string; readonly problem: string };

export interface TrustedKey extends PublicKey {
  /** Name of the key's file. */
  readonly file: string;
}

/** What the key directory says. */
export interface TrustedKeys {
  /** Whether signatures are in use on this gateway: there is a key file, even an unusable one, or a revocation list. */
  readonly isConfigured: boolean;
  /** The readable keys, revoked ones included. */
  readonly keys: readonly TrustedKey[];
  readonly revoked: ReadonlySet<KeyId>;
  /** Why the revocation list cannot be relied on; null when it can. Nothing is trusted then. */
  readonly revocationProblem: string | null;
  /** Files that do not count, each with the reason, for a person. */
  readonly problems: readonly string[];
}

/** Whether the engine looks at a file of that name in the key directory. */
export function isKeyDirectoryFile(name: string): boolean {
  return name === revocationFile || isKeyFile(name);
}

/**
 * Understands the files of the key directory. A key file that cannot be used is named and does not disable the
 * others; a revocation list that cannot be read in full disables all of them, since it might have named any.
 */
export function readTrustedKeys(entries: readonly KeyDirectoryEntry[]): TrustedKeys {
  const keys: TrustedKey[] = [];
  const problems: string[] = [];
  let revocation: RevocationList = { revoked: new Set(), problem: null };
  for (const entry of entries) {
    if (entry.name === revocationFile) {
      revocation = readRevocationList(entry);
    } else if (isKeyFile(entry.name)) {
      const key = readKey(entry);
      if (typeof key === "string") problems.push(key);
      else keys.push(key);
    }
  }
  if (revocation.problem !== null) problems.push(revocation.problem);
  return {
    isConfigured: entries.some(({ name }) => isKeyDirectoryFile(name)),
    keys,
    revoked: revocation.revoked,
    revocationProblem: revocation.problem,
    problems,
  };
}

/** What is known when the directory is there but cannot be read: that it might have held anything. */
export function unreadableKeys(problem: string): TrustedKeys {
  return {
    isConfigured: true,
    keys: [],
    revoked: new Set(),
    revocationProblem: null,
    problems: [problem],
  };
}

function isKeyFile(name: string): boolean {
  // Editors and package managers leave `.x.pub.swp`, `.x.pub`: hidden names are nobody's keys.
  return name.endsWith(keySuffix) && !name.startsWith(".");
}

function readKey(entry: KeyDirectoryEntry): TrustedKey | string {
  if ("problem" in entry) return `${entry.name}: ${entry.problem}`;
  const key = parsePublicKey(entry.bytes);
  if (key.kind === "parsed") return { ...key.value, file: entry.name };
  return `${entry.name}${key.line === null ? "" : ` line ${key.line}`}: ${key.problem}`;
}

interface RevocationList {
  readonly revoked: ReadonlySet<KeyId>;
  readonly problem: string | null;
}

// minisign shows ids without leading zeros. An id with fewer than 12 digits is one in a million; a line that a power
// cut has torn is not.
const revocationLine = /^([0-9A-F]{12,16})(?:\s.*)?$/i;

/** One key id a line, then free text; `#` starts a comment line. */
function readRevocationList(entry: KeyDirectoryEntry): RevocationList {
  const revoked = new Set<KeyId>();
  if ("problem" in entry) return { revoked, problem: `${entry.name}: ${entry.problem}` };
  let problem: string | null = null;
  for (const [index, text] of Buffer.from(entry.bytes).toString("utf8").split("\n").entries()) {
    const line = text.trim();
    if (line === "" || line.startsWith("#")) continue;
    const id = revocationLine.exec(line)?.[1];
    if (id === undefined)
      problem ??= `${entry.name} line ${index + 1}: not a key id of 16 hexadecimal digits`;
    else revoked.add(id.toUpperCase().padStart(16, "0"));
  }
  return { revoked, problem };
}
