import { isUtf8 } from "node:buffer";
import { isWeakKey } from "./weak-keys.ts";

/** A public key as `minisign -G` writes it. */
export interface PublicKey {
  readonly id: KeyId;
  /** 32 bytes, RFC 8032. */
  readonly raw: Uint8Array;
}

/** 16 upper-case hexadecimal digits, as minisign shows a key's id (which leaves leading zeros out). */
export type KeyId = string;

/** A `.minisig` text, understood but not verified. */
export interface Signature {
  readonly keyId: KeyId;
  /** `prehashed`: of the file's BLAKE2b-512. `legacy`: of the file itself, which has to be in memory for it. */
  readonly mode: "prehashed" | "legacy";
  /** Of the file. 64 bytes. */
  readonly signature: Uint8Array;
  readonly trustedComment: string;
  /** Of `signature` and the trusted comment after it. 64 bytes. */
  readonly globalSignature: Uint8Array;
}

export type Parsed<Value> =
  | { readonly kind: "parsed"; readonly value: Value }
  /** `line` is 1-based; null when it is about the whole text. */
  | { readonly kind: "malformed"; readonly line: number | null; readonly problem: string };

type Malformed = Extract<Parsed<never>, { kind: "malformed" }>;

/** minisign allows 1 KiB of untrusted and 8 KiB of trusted comment. */
export const maxSignatureBytes = 16_384;
export const maxPublicKeyBytes = 4_096;

const untrustedPrefix = "untrusted comment:";
const trustedPrefix = "trusted comment: ";
const keyIdBytes = 8;
const publicKeyBytes = 2 + keyIdBytes + 32;
const signatureBytes = 2 + keyIdBytes + 64;
const globalSignatureBytes = 64;
const secretKeyBytes = 158;

/** Reads a `.pub` file: an untrusted comment, then base64 of `Ed`, the key's id and the key. Never throws. */
export function parsePublicKey(bytes: Uint8Array): Parsed<PublicKey> {
  const lines = readLines(bytes, maxPublicKeyBytes, 2, "a public key");
  if (lines.kind === "malformed") return lines;
  const [comment = "", encoded = ""] = lines.value;
  if (!comment.startsWith(untrustedPrefix)) return malformed(1, `does not begin with "${untrustedPrefix}"`);
  const data = decodeBase64(encoded);
  if (data?.length === secretKeyBytes) {
    return malformed(2, "this is a secret key: it must not be on a gateway");
  }
  if (data?.length !== publicKeyBytes) {
    return malformed(2, `not the base64 text of ${publicKeyBytes} bytes`);
  }
  const algorithm = data.toString("latin1", 0, 2);
  if (algorithm !== "Ed") return malformed(2, `unknown key algorithm ${JSON.stringify(algorithm)}`);
  const raw = data.subarray(2 + keyIdBytes);
  if (isWeakKey(raw)) return malformed(2, "a weak key, for which anybody can make signatures");
  return { kind: "parsed", value: { id: keyIdOf(data), raw } };
}

/**
 * Reads a signature: untrusted comment, base64 of the algorithm, the key's id and the signature, trusted comment,
 * base64 of the global signature. Line ends may be `\n` or `\r\n`, the last may be missing. Never throws.
 */
export function parseSignature(bytes: Uint8Array): Parsed<Signature> {
  const lines = readLines(bytes, maxSignatureBytes, 4, "a minisign signature");
  if (lines.kind === "malformed") return lines;
  const [comment = "", encoded = "", trusted = "", encodedGlobal = ""] = lines.value;
  if (!comment.startsWith(untrustedPrefix)) return malformed(1, `does not begin with "${untrustedPrefix}"`);
  const data = decodeBase64(encoded);
  if (data?.length !== signatureBytes) {
    return malformed(2, `not the base64 text of ${signatureBytes} bytes`);
  }
  const algorithm = data.toString("latin1", 0, 2);
  if (algorithm !== "ED" && algorithm !== "Ed") {
    return malformed(2, `unknown signature algorithm ${JSON.stringify(algorithm)}`);
  }
  if (!trusted.startsWith(trustedPrefix)) return malformed(3, `does not begin with "${trustedPrefix}"`);
  const globalSignature = decodeBase64(encodedGlobal);
  if (globalSignature?.length !== globalSignatureBytes) {
    return malformed(4, `not the base64 text of ${globalSignatureBytes} bytes`);
  }
  return {
    kind: "parsed",
    value: {
      keyId: keyIdOf(data),
      mode: algorithm === "ED" ? "prehashed" : "legacy",
      signature: data.subarray(2 + keyIdBytes),
      trustedComment: trusted.slice(trustedPrefix.length),
      globalSignature,
    },
  };
}

/** The text's lines, exactly `count` of them; empty lines at the end do not count. */
function readLines(
  bytes: Uint8Array,
  maxBytes: number,
  count: number,
  what: string,
): Parsed<readonly string[]> {
  if (bytes.length > maxBytes) return malformed(null, `longer than ${maxBytes} bytes: not ${what}`);
  // Cut as bytes, so that a line which is not UTF-8 can be named.
  const lines = Buffer.from(bytes)
    .toString("latin1")
    .split(/\r?\n/)
    .map((line) => Buffer.from(line, "latin1"));
  while (lines.at(-1)?.length === 0) lines.pop();
  const notText = lines.findIndex((line) => !isUtf8(line));
  if (notText >= 0) return malformed(notText + 1, "not UTF-8 text");
  if (lines.length === 0) return malformed(null, `empty: not ${what}`);
  if (lines.length < count) {
    return malformed(lines.length, `the last line, but ${what} has ${count} lines`);
  }
  if (lines.length > count) return malformed(count + 1, `one too many: ${what} has ${count} lines`);
  return { kind: "parsed", value: lines.map((line) => line.toString("utf8")) };
}

/** Only what an encoder would write: other spellings of the same bytes would be signatures that nobody made. */
function decodeBase64(text: string): Buffer | undefined {
  const data = Buffer.from(text, "base64");
  return data.toString("base64") === text ? data : undefined;
}

function keyIdOf(data: Buffer): KeyId {
  return data
    .readBigUInt64LE(2)
    .toString(16)
    .toUpperCase()
    .padStart(2 * keyIdBytes, "0");
}

function malformed(line: number | null, problem: string): Malformed {
  return { kind: "malformed", line, problem };
}
