/** What has become of a version of the engine that its installer has placed. */
export type EngineUpdateOutcome =
  /** It runs, and has checked in. */
  | { readonly kind: "proved" }
  /** The former one was put back. */
  | { readonly kind: "went-back"; readonly reason: string };

/** The running engine as an installation that a package can replace. */
export interface EngineUpdateHost {
  /** As in `gwe --version`. */
  readonly version: string;
  /** Node's word for this machine's processor, such as `x64`. */
  readonly arch: string;
  /** Why this engine cannot replace itself; undefined where it can. */
  refusal(): string | undefined;
  /**
   * Resolves when it is known; before that it may have the engine restart, which ends this process. May be asked again,
   * by the engine that runs then. Rejects with the signal's reason.
   */
  outcome(signal: AbortSignal): Promise<EngineUpdateOutcome>;
}
