import { maskCiks } from "../core/cik.ts";
import { redactedMark } from "../core/redact.ts";
import type { Procedure } from "./api.ts";
import { ConnectionClosedError, ProxyRefusedError } from "./connect.ts";
import {
  ConflictError,
  type DeviceApiError,
  MalformedAnswerError,
  NetworkError,
  RateLimitedError,
  RejectedError,
  ServerError,
  TimeoutError,
  UnauthorizedError,
} from "./errors.ts";
import { decodeForm } from "./form.ts";
import { parseRetryAfter, parseUnsatisfiedRange } from "./http-values.ts";
import type { CompleteAnswer } from "./wire.ts";

/** The error that an answer's status stands for (spec: device-api.md, "Status codes"). */
export function statusFailure(answer: CompleteAnswer): DeviceApiError {
  const { procedure, status } = answer;
  const details = { procedure, status, answer: excerpt(answer) };
  const retryAfterMs = parseRetryAfter(answer.header("retry-after"), answer.serverTimeMs);
  if (status < 400) return malformed(answer, "a status that this call does not have");
  if (status === 401) return new UnauthorizedError(`${procedure}: not authorised (401)`, details);
  // A proxy's own refusal: the request never reached Murano.
  if (status === 407) {
    return new NetworkError(`${procedure}: the proxy asks for a login (407)`, {
      ...details,
      requestSent: false,
    });
  }
  // A load balancer gave up waiting for a request that a slow link was still sending: no fault of its content.
  if (status === 408) {
    const phase = { phase: "idle", requestSent: true } as const;
    return new TimeoutError(`${procedure}: the server waited too long for the request (408)`, {
      ...details,
      ...phase,
    });
  }
  if (status === 409) {
    return new ConflictError(`${procedure}: conflict (409)`, {
      ...details,
      timestamps: refusedTimestamps(answer),
    });
  }
  if (status === 429) {
    return new RateLimitedError(`${procedure}: slow down (429)`, { ...details, retryAfterMs });
  }
  if (status < 500 || status === 501) {
    const totalBytes = parseUnsatisfiedRange(answer.header("content-range"));
    const context = totalBytes === undefined ? {} : { totalBytes };
    return new RejectedError(`${procedure}: rejected (${status})`, { ...details, context });
  }
  return new ServerError(`${procedure}: server error (${status})`, { ...details, retryAfterMs });
}

/** `<alias>=<ts>[,<ts>…]&…`; empty where the answer is something else, as an activation's is. */
function refusedTimestamps(answer: CompleteAnswer): ReadonlyMap<string, readonly number[]> {
  const isRecord = answer.procedure === "record" || answer.procedure === "recordAlias";
  const pairs = isRecord ? (decodeForm(answer.text) ?? []) : [];
  const lists = pairs.map(([alias, list]) => [alias, list.split(",").map((ts) => ts.trim())] as const);
  if (!lists.every(([, list]) => list.every((ts) => /^\d{1,15}$/.test(ts)))) return new Map();
  return new Map(lists.map(([alias, list]) => [alias, list.map(Number)]));
}

/** @param what the answer has or lacks, such as `no length` */
export function malformed(answer: CompleteAnswer, what: string): MalformedAnswerError {
  const { procedure, status } = answer;
  const location = answer.header("location");
  return new MalformedAnswerError(`${procedure}: an answer that is not Murano's (${status}): ${what}`, {
    procedure,
    status,
    // Whatever an activation answered may be a CIK in disguise.
    answer: procedure === "activate" ? undefined : excerpt(answer),
    context: { contentType: answer.header("content-type"), location: location && answer.mask(location) },
  });
}

/** What the client can see the server would refuse; nothing was sent. */
export function refused(procedure: Procedure, why: string): RejectedError {
  return new RejectedError(`${procedure}: ${why}`, { procedure });
}

const excerptLength = 1024;

function excerpt(answer: CompleteAnswer): string {
  // Masked before it is cut, so that no half of a CIK is left at the end.
  return answer.mask(answer.text.slice(0, 2 * excerptLength)).slice(0, excerptLength);
}

/** Hides the given CIK, and whatever is shaped like one. */
export function cikMask(cik: string | undefined): (text: string) => string {
  return (text) => maskCiks(cik === undefined ? text : text.replaceAll(cik, redactedMark));
}

/** What broke an exchange, as its caller is told it; undefined for an error that is a bug and no matter of networks. */
export function connectionFailure(
  error: unknown,
  facts: { readonly procedure: Procedure; readonly server: string; readonly requestSent: boolean },
): DeviceApiError | undefined {
  const code = errorCode(error);
  if (!(error instanceof Error) || code === undefined) return undefined;
  const { procedure, server, requestSent } = facts;
  const details = { procedure, cause: withoutPacket(error), context: { server, code } };
  const isParserFault = code.startsWith("HPE_") && code !== "HPE_INVALID_EOF_STATE";
  if (isParserFault) return new MalformedAnswerError(`${procedure}: an answer that is not HTTP`, details);
  // Node's error for several tried addresses has no message of its own.
  return new NetworkError(`${procedure}: ${error.message || code}`, { ...details, requestSent });
}

function errorCode(error: unknown): string | undefined {
  if (error instanceof ProxyRefusedError || error instanceof ConnectionClosedError) return error.code;
  const isSystemError = error instanceof Error && "code" in error && typeof error.code === "string";
  // ERR_INVALID_… are Node's words for a wrong argument: a bug on this side.
  return isSystemError && !String(error.code).startsWith("ERR_INVALID_") ? String(error.code) : undefined;
}

/** Node's parser attaches the raw bytes of what it could not parse: they may hold a CIK. */
function withoutPacket(error: Error): Error {
  if ("rawPacket" in error) delete error.rawPacket;
  return error;
}
