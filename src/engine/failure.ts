import { GweError } from "../core/errors.ts";

/** What a failed Device API call means to the check-in loop. */
export type Failure =
  | { readonly kind: "unauthorized" }
  /** Asked to slow down; `delayMs` where the server named a time. */
  | { readonly kind: "rate-limited"; readonly delayMs: number | undefined }
  /** Activation only: not enabled, or already activated and the window closed. */
  | { readonly kind: "conflict" }
  /** Repeating the same request cannot help; only a person or the server can change it. */
  | { readonly kind: "rejected"; readonly status: number | undefined }
  /** Network, time-out, server trouble, garbage: may pass by itself. */
  | { readonly kind: "transient" };

/** Branches on the error's stable code, so that the loop needs no value import from the device client. */
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
      return { kind: "transient" };
  }
}
