import { classifyFailure, type Failure } from "../../core/api-failure.ts";
import { GweError } from "../../core/errors.ts";
import type { Refusal } from "./progress.ts";

/** What became of one upload request. */
export type Outcome =
  /** 409: these seconds of these aliases; empty where the answer names none. */
  | { readonly kind: "conflict"; readonly seconds: ReadonlyMap<string, readonly number[]> }
  /** What it holds is wrong, or it is too large: repeating it cannot help. */
  | {
      readonly kind: "refused";
      readonly refusal: Refusal;
      readonly isTooLarge: boolean;
      readonly isOwn: boolean;
    }
  /** Nothing is known of what it holds: the same request again, later. */
  | { readonly kind: "failed"; readonly failure: Failure; readonly isLost: boolean };

/** Murano's words for a request whose content is wrong (spec: device-api.md, "Status codes"). */
const contentStatuses: readonly (number | undefined)[] = [400, 412, 413, 415];

/**
 * 403, 404 and the like are nowhere promised for a record: more likely someone else's answer than a word about the
 * content, which therefore waits.
 */
export function outcomeOf(error: unknown): Outcome {
  const failure = classifyFailure(error);
  const fields = error as {
    readonly status?: number;
    readonly answer?: string;
    readonly timestamps?: ReadonlyMap<string, readonly number[]>;
  };
  if (failure.kind === "conflict") return { kind: "conflict", seconds: fields.timestamps ?? new Map() };
  if (failure.kind === "rejected") {
    // Without a status the client saw by itself that no server would take it.
    const isOwn = failure.status === undefined;
    if (isOwn || contentStatuses.includes(failure.status)) {
      const refusal = { status: failure.status, answer: fields.answer };
      return { kind: "refused", refusal, isTooLarge: failure.status === 413, isOwn };
    }
  }
  return { kind: "failed", failure, isLost: codeOf(error) === "TIMEOUT" || codeOf(error) === "NETWORK" };
}

/** For the counts of requests by result: `401`, `503`, `network`, `timeout` … */
export function resultName(error: unknown): string {
  const { status } = error as { readonly status?: number };
  return status === undefined
    ? (codeOf(error) ?? "error").toLowerCase().replaceAll("_", "-")
    : String(status);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof GweError ? error.code : undefined;
}
