import { digestInMeta } from "../../core/content-digest.ts";

/** The digest that a package must have, if any, or why there can be none that has it. */
export type WantedDigest =
  | { readonly kind: "wanted"; readonly sha256: string | null }
  | { readonly kind: "refused"; readonly reason: string };

/**
 * Joins what the command and the content's meta ask for. Known before the download, so that a contradiction costs no
 * transfer.
 *
 * @param fromCommand in lower case; null when the command names none
 * @param meta null for a package from a file
 */
export function wantedDigest(fromCommand: string | null, meta: string | null): WantedDigest {
  const fromMeta = digestInMeta(meta ?? "");
  switch (fromMeta.kind) {
    case "none":
      return { kind: "wanted", sha256: fromCommand };
    case "faulty":
      return { kind: "refused", reason: fromMeta.reason };
    case "digest":
      if (fromCommand !== null && fromCommand !== fromMeta.sha256) {
        return {
          kind: "refused",
          reason: `the command asks for SHA-256 ${fromCommand}, the content's meta for ${fromMeta.sha256}`,
        };
      }
      return { kind: "wanted", sha256: fromMeta.sha256 };
  }
}
