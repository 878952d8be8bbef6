/** Added to a package's name, or its path, to find its signature. */
const signatureSuffix = ".minisig";

/** Where a package's signature is. */
export type SignatureSource =
  /** In the command itself: `{"name":…,"signature":"<the .minisig text>"}`. */
  | { readonly kind: "inline"; readonly text: string }
  /** A content of its own in Murano: `<package>.minisig`. */
  | { readonly kind: "content"; readonly id: string }
  /** Beside a package that lies on this gateway. Absolute. */
  | { readonly kind: "file"; readonly path: string };

export type SignatureAnswer =
  /** At most `maxSignatureBytes` and one: more is cut off, and refused by its length. */
  | { readonly kind: "found"; readonly bytes: Uint8Array }
  /** `lookedFor`: where, for a person. */
  | { readonly kind: "none"; readonly lookedFor: string };

/** A package as a job knows it. */
export type PackageSource =
  | { readonly kind: "content"; readonly id: string }
  | { readonly kind: "file"; readonly path: string };

/** Where to look for a package's signature. One in the command counts before all others: it is what was asked for. */
export function signatureSourceOf(source: PackageSource, inline: string | null): SignatureSource {
  if (inline !== null) return { kind: "inline", text: inline };
  return source.kind === "content"
    ? { kind: "content", id: source.id + signatureSuffix }
    : { kind: "file", path: source.path + signatureSuffix };
}
