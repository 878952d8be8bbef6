/** What a check came to: one sentence each. A package with faults cannot be installed; a warning may be meant. */
export interface Findings {
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
}
