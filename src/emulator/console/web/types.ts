import type { TargetState } from "../../store/target-states.ts";

/** Answers of the server (docs/console.md) that have no type of their own there. */

export interface Command {
  readonly id: string;
  readonly at: number;
  readonly command: Readonly<Record<string, unknown>>;
  readonly counts: Readonly<Partial<Record<TargetState, number>>>;
}

export interface Target {
  readonly rid: string;
  readonly sn: string;
  readonly product: string;
  readonly state: string;
  readonly at: number;
  readonly detail: string;
}

/** Names a gateway's row. */
export function ridOf({ rid }: { readonly rid: string }): string {
  return rid;
}

export interface Content {
  readonly id: string;
  readonly app?: string;
  readonly version?: string;
  readonly size: number;
  readonly updated: number;
  readonly meta: string;
  readonly protected: boolean;
  readonly uploaded: boolean;
  readonly sha256?: string;
}

export interface Wave {
  readonly size: number;
  readonly state: string;
  readonly counts: Readonly<Record<string, number>>;
}

export interface Rollout {
  readonly id: string;
  readonly name: string;
  readonly filter: string;
  readonly command: Readonly<Record<string, unknown>>;
  readonly createdAt: number;
  readonly state: string;
  readonly reason: string;
  readonly wave: number;
  readonly successPercent: number;
  readonly maxFailurePercent: number;
  readonly soakS: number;
  readonly soakUntil: number | null;
  readonly waves: readonly Wave[];
  readonly counts: Readonly<Record<string, number>>;
}
