import { type ErrorDetails, GweError } from "../core/errors.ts";

/** What a failed exchange with Murano tells: which call, and the answer's status where there was one. */
export interface DeviceApiErrorDetails extends ErrorDetails {
  /** A `Procedure` of api.ts. */
  readonly procedure: string;
  readonly status?: number | undefined;
  /** The start of the answer's body as text, at most 1 KiB. Never holds a CIK. */
  readonly answer?: string | undefined;
}

/** Base of every error that a Device API call can reject with (besides the caller's own abort reason). */
export abstract class DeviceApiError extends GweError {
  readonly procedure: string;
  readonly status: number | undefined;
  readonly answer: string | undefined;

  constructor(message: string, details: DeviceApiErrorDetails) {
    super(message, details);
    this.procedure = details.procedure;
    this.status = details.status;
    this.answer = details.answer;
  }
}

/** 401: no CIK, or one that is no longer valid. Activate again. */
export class UnauthorizedError extends DeviceApiError {
  readonly code = "UNAUTHORIZED";
}

/**
 * 400, 403, 404, 412, 413, 415, 416, 501 …: repeating the same request cannot help. `status` tells which; undefined
 * when the client saw it by itself and sent nothing.
 */
export class RejectedError extends DeviceApiError {
  readonly code = "REJECTED";
}

/** 409: activation refused, or timestamps of a record too close; those refused are in `timestamps`. */
export class ConflictError extends DeviceApiError {
  readonly code = "CONFLICT";
  /** Alias → refused unix seconds; empty where the answer names none. */
  readonly timestamps: ReadonlyMap<string, readonly number[]>;

  constructor(
    message: string,
    details: DeviceApiErrorDetails & { readonly timestamps?: ReadonlyMap<string, readonly number[]> },
  ) {
    super(message, details);
    this.timestamps = details.timestamps ?? new Map();
  }
}

/** 429: slow down. */
export class RateLimitedError extends DeviceApiError {
  readonly code = "RATE_LIMITED";
  /** From `Retry-After`; undefined when the server gave none. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    details: DeviceApiErrorDetails & { readonly retryAfterMs?: number | undefined },
  ) {
    super(message, details);
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** 5xx (but 501): the server's trouble; repeat with backoff. */
export class ServerError extends DeviceApiError {
  readonly code = "SERVER";
  /** From `Retry-After`; undefined when the server gave none. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    details: DeviceApiErrorDetails & { readonly retryAfterMs?: number | undefined },
  ) {
    super(message, details);
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** No answer: DNS, connection refused or reset, TLS, a proxy that refuses, a body cut short. `context.code` tells. */
export class NetworkError extends DeviceApiError {
  readonly code = "NETWORK";
  /** False when not one byte of the request had left: then even a write can be repeated. True where not known. */
  readonly requestSent: boolean;

  constructor(message: string, details: DeviceApiErrorDetails & { readonly requestSent?: boolean }) {
    super(message, details);
    this.requestSent = details.requestSent ?? true;
  }
}

/**
 * No answer in time. `phase` tells whether the connection (DNS, TCP, proxy and TLS together) was late, or no byte
 * moved while waiting for the answer. With status 408 it was the server that waited in vain.
 */
export class TimeoutError extends DeviceApiError {
  readonly code = "TIMEOUT";
  readonly phase: "connect" | "idle";
  /** As in NetworkError. */
  readonly requestSent: boolean;

  constructor(
    message: string,
    details: DeviceApiErrorDetails & { readonly phase: "connect" | "idle"; readonly requestSent?: boolean },
  ) {
    super(message, details);
    this.phase = details.phase;
    this.requestSent = details.requestSent ?? true;
  }
}

/** The client was closed before the call or during it. */
export class ClientClosedError extends DeviceApiError {
  readonly code = "CLIENT_CLOSED";
}

/** An option of the client that cannot be used; thrown by its constructor. The message names the option. */
export class DeviceClientOptionsError extends GweError {
  readonly code = "DEVICE_CLIENT_OPTIONS";
}

/** An answer that is not what the Device API promises, such as a captive portal's HTML, or a body over the limit. */
export class MalformedAnswerError extends DeviceApiError {
  readonly code = "MALFORMED_ANSWER";
}

/** True where the same request may succeed later without anybody changing anything. */
export function isTransient(error: unknown): boolean {
  return (
    error instanceof NetworkError ||
    error instanceof TimeoutError ||
    error instanceof ServerError ||
    error instanceof RateLimitedError ||
    error instanceof MalformedAnswerError
  );
}
