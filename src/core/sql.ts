/** One step of a feature's schema. Steps run once, in order, inside a transaction; they are never edited later. */
export interface Migration {
  /** `<feature>/<number>-<what>`, e.g. `ota/0001-journal`. */
  readonly id: string;
  readonly sql: string;
}
