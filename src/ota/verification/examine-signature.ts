import { createPublicKey, verify } from "node:crypto";
import { type KeyId, type PublicKey, parseSignature, type Signature } from "./minisign-format.ts";
import type { SignatureAnswer } from "./signature-source.ts";
import type { TrustedKeys } from "./trusted-keys.ts";

/** What came of looking at a package's signature. */
export type SignatureState =
  /** `lookedFor`: where it should have been, for a person. */
  | { readonly kind: "missing"; readonly lookedFor: string }
  | { readonly kind: "malformed"; readonly line: number | null; readonly problem: string }
  /** A signature of the unhashed file: refused, whatever its key. */
  | { readonly kind: "legacy"; readonly keyId: KeyId }
  | { readonly kind: "unknown-key"; readonly keyId: KeyId }
  | { readonly kind: "revoked-key"; readonly keyId: KeyId }
  /** It does not confirm its own trusted comment: changed after it was made, or made by another key of that id. */
  | { readonly kind: "altered"; readonly keyId: KeyId }
  /** `names`: what its trusted comment says it is a signature of; empty when it names nothing. */
  | { readonly kind: "other-name"; readonly keyId: KeyId; readonly names: readonly string[] }
  | { readonly kind: "other-file"; readonly keyId: KeyId }
  | { readonly kind: "valid"; readonly keyId: KeyId; readonly trustedComment: string };

export interface SignatureExamination {
  readonly answer: SignatureAnswer;
  readonly keys: Pick<TrustedKeys, "keys" | "revoked">;
  /** The package's file name, which the signature must be for. */
  readonly packageFile: string;
  /** BLAKE2b-512 of the package. Asked for only when all else is in order, since it costs a read of the file. */
  readonly prehash: () => Promise<Uint8Array>;
}

/**
 * Verifies a package's signature, the cheap checks first. Rejects only as `prehash` does: whatever the signature
 * holds becomes a state.
 */
export async function examineSignature(examination: SignatureExamination): Promise<SignatureState> {
  const { answer, keys, packageFile } = examination;
  if (answer.kind === "none") return { kind: "missing", lookedFor: answer.lookedFor };
  const parsed = parseSignature(answer.bytes);
  if (parsed.kind === "malformed") return parsed;
  const signature = parsed.value;
  const { keyId, trustedComment } = signature;
  if (signature.mode === "legacy") return { kind: "legacy", keyId };
  if (keys.revoked.has(keyId)) return { kind: "revoked-key", keyId };
  const candidates = keys.keys.filter(({ id }) => id === keyId);
  if (candidates.length === 0) return { kind: "unknown-key", keyId };
  const key = candidates.find((candidate) => confirmsComment(signature, candidate));
  if (key === undefined) return { kind: "altered", keyId };
  const names = namedFiles(trustedComment);
  if (names.length === 0 || names.some((name) => name !== packageFile)) {
    return { kind: "other-name", keyId, names };
  }
  const isOfFile = verifyEd25519(await examination.prehash(), signature.signature, key);
  return isOfFile ? { kind: "valid", keyId, trustedComment } : { kind: "other-file", keyId };
}

/** The `file:` fields of a trusted comment. Package names hold no white space, so a name ends at one. */
function namedFiles(trustedComment: string): readonly string[] {
  return trustedComment
    .split(/\s+/)
    .filter((field) => field.startsWith("file:"))
    .map((field) => field.slice("file:".length));
}

function confirmsComment({ signature, trustedComment, globalSignature }: Signature, key: PublicKey): boolean {
  return verifyEd25519(Buffer.concat([signature, Buffer.from(trustedComment)]), globalSignature, key);
}

/** What stands before the 32 bytes of an Ed25519 key in its DER form (RFC 8410). */
const derPrefix = Buffer.from("302a300506032b6570032100", "hex");

function verifyEd25519(message: Uint8Array, signature: Uint8Array, { raw }: PublicKey): boolean {
  const key = createPublicKey({ key: Buffer.concat([derPrefix, raw]), format: "der", type: "spki" });
  return verify(null, message, key, signature);
}
