/** At which time a server's certificates must be valid, where the system's clock does not say so. */
export type CertificateTime =
  | { readonly kind: "at"; readonly timeMs: number }
  /** At any from there on: which one, the caller compares with what the server then tells. */
  | { readonly kind: "any"; readonly fromMs: number; readonly found: (validity: Validity) => void };

export interface Validity {
  readonly fromMs: number;
  readonly toMs: number;
}
