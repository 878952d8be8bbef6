/** What the meta text of a content says of its SHA-256. */
export type MetaDigest =
  /** In lower case. */
  | { readonly kind: "digest"; readonly sha256: string }
  | { readonly kind: "none" }
  /** It means to name one, but cannot be relied on: for a person. */
  | { readonly kind: "faulty"; readonly reason: string };

// One pattern for `sha256=…`, `sha256: …` and a JSON object's `"sha256":"…"`, wherever in the text. Not after a letter
// or a dash: `unpacked-sha256=…` is the digest of something else.
const mention = /(?<![A-Za-z0-9_.-])sha256["']?[ \t]*[=:][ \t]*["']?([^\s"',;)}\]]*)/gi;

/**
 * Finds a package's SHA-256 in its content's meta: `sha256=<64 hexadecimal digits>`, also with a colon, also as a key
 * of a JSON object, with any other text around it. A digest that is cut short or contradicted by another is
 * `faulty` rather than ignored: whoever wrote it wanted the package checked.
 */
export function digestInMeta(meta: string): MetaDigest {
  const found = new Set<string>();
  for (const [, value = ""] of meta.matchAll(mention)) {
    if (!/^[0-9a-f]{64}$/i.test(value)) {
      return { kind: "faulty", reason: "the content's meta has a sha256 that is not 64 hexadecimal digits" };
    }
    found.add(value.toLowerCase());
  }
  const [sha256, ...others] = found;
  if (others.length > 0) return { kind: "faulty", reason: "the content's meta has two different sha256" };
  return sha256 === undefined ? { kind: "none" } : { kind: "digest", sha256 };
}
