import { GweError } from "./errors.ts";

/** What a failed Device API call means to whoever made it. */
export type Failure =
  | { readonly kind: "unauthorized" }
  /** Asked to slow down; `delayMs` where the server named a time. */
  | { readonly kind: "rate-limited"; readonly delayMs: number | undefined }
  /** Activation only: not enabled, or already activated and the window closed. */
  | { readonly kind: "conflict" }
  /** Repeating the same request cannot help; only a person or the server can change it. */
  | { readonly kind: "rejected"; readonly status: number | undefined }
  /** Network, time-out, server trouble, garbage: may pass by itself. */
  | { readonly kind: "transient"; readonly delayMs?: number | undefined };

/** What a server asks for beyond this is more likely a slip than a wish: it would lose the gateway. */
const longestPauseMs = 24 * 60 * 60 * 1000;

/** How long to be quiet: as long as the server asks for, and no shorter than our own backoff. */
export function pauseAfter(failure: Failure, backoffMs: number): number {
  const asked = "delayMs" in failure ? (failure.delayMs ?? 0) : 0;
  return Math.max(backoffMs, Math.min(asked, longestPauseMs));
}

/** Branches on the error's stable code, so that features need no value import from the device client. */
export function classifyFailure(error: unknown): Failure {
  if (!(error instanceof GweError)) return { kind: "transient" };
  const fields = error as GweError & { readonly retryAfterMs?: number; readonly status?: number };
  switch (error.code) {
    case "UNAUTHORIZED":
      return { kind: "unauthorized" };
    case "RATE_LIMITED":
      return { kind: "rate-limited", delayMs: fields.retryAfterMs };
    case "CONFLICT":
      return { kind: "conflict" };
    case "REJECTED":
      return { kind: "rejected", status: fields.status };
    default:
      return { kind: "transient", delayMs: fields.retryAfterMs };
  }
}
