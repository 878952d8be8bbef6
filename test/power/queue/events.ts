import type { Lane } from "../../../src/queue/types.ts";

/** Entries go by the id that their values begin with (`entries.ts`). */
export type QueueEvent =
  /** `append` has resolved (a 204 to the app). Of one client they come in the order of their acceptance. */
  | { readonly kind: "acknowledged"; readonly client: string; readonly ids: readonly string[] }
  /** The forwarder holds them: their seconds are durable. */
  | { readonly kind: "taken"; readonly lane: Lane; readonly entries: readonly TakenEntry[] }
  /** Murano has answered; the queue is being told. */
  | { readonly kind: "settling"; readonly ids: readonly string[]; readonly dead: readonly string[] }
  | { readonly kind: "settled"; readonly ids: readonly string[]; readonly dead: readonly string[] };

export interface TakenEntry {
  readonly id: string;
  readonly seq: number;
  readonly second: number;
  /** Where a second may be used once. */
  readonly series: string;
}
