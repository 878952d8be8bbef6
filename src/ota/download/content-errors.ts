import { describeError, GweError } from "../../core/errors.ts";
import { StepFailure } from "../errors.ts";

/** The Device API's errors (device-client/errors.ts), by their stable codes. */
const transientCodes = new Set(["NETWORK", "TIMEOUT", "SERVER", "RATE_LIMITED", "MALFORMED_ANSWER"]);

/** The client activates again by itself; where that fails, only time and the operator help. */
const activationCodes = new Set(["UNAUTHORIZED", "CONFLICT"]);

/** Whether the server said that the wanted range lies outside the content. */
export function isOutsideContent(error: unknown): boolean {
  return error instanceof GweError && error.code === "REJECTED" && statusOf(error) === 416;
}

/** By which status the server said that there is no such content for this gateway; undefined for all else. */
export function missingStatus(error: unknown): 403 | 404 | undefined {
  if (!(error instanceof GweError) || error.code !== "REJECTED") return undefined;
  const status = statusOf(error);
  return status === 403 || status === 404 ? status : undefined;
}

function statusOf(error: GweError): unknown {
  return (error as { readonly status?: unknown }).status;
}

/**
 * What a failed exchange with the content area means.
 * @returns the wait that the server asked for, or undefined, when trying again makes sense
 * @throws StepFailure when it does not
 */
export function judgeContentError(
  error: unknown,
  contentId: string,
): { readonly waitMs: number | undefined } {
  if (!(error instanceof GweError)) throw error;
  if (activationCodes.has(error.code)) return { waitMs: undefined };
  if (transientCodes.has(error.code)) {
    const wait = (error as { retryAfterMs?: unknown }).retryAfterMs;
    return { waitMs: typeof wait === "number" ? wait : undefined };
  }
  if (error.code !== "REJECTED") throw error;
  const status = statusOf(error);
  const name = JSON.stringify(contentId);
  switch (status) {
    case 404:
      throw new StepFailure(`Murano has no content ${name} for this product (404)`, { cause: error });
    case 403:
      throw new StepFailure(`Murano does not let this gateway have the content ${name} (403)`, {
        cause: error,
      });
    default:
      throw new StepFailure(`Murano refused the content ${name}: ${describeError(error)}`, { cause: error });
  }
}
