export type { Clock, Random } from "../core/clock.ts";
export type { ErrorDetails } from "../core/errors.ts";
export { GweError } from "../core/errors.ts";
export type { RetrySchedule } from "../core/retry.ts";
export type {
  ActivationRequest,
  AliasValues,
  Answer,
  CallOptions,
  ContentInfo,
  DeviceApi,
  Download,
  DownloadRequest,
  LongPollAnswer,
  LongPollOptions,
  Point,
  Procedure,
  ReadAnswer,
  ReadHistoryOptions,
  RecordSeries,
  RpcCall,
  RpcOptions,
  RpcResult,
} from "./api.ts";
export type { Audit, AuditedExchange } from "./audit.ts";
export { DeviceClient } from "./device-client.ts";
export type { DeviceApiErrorDetails } from "./errors.ts";
export {
  ClientClosedError,
  ConflictError,
  DeviceApiError,
  DeviceClientOptionsError,
  isTransient,
  MalformedAnswerError,
  NetworkError,
  RateLimitedError,
  RejectedError,
  ServerError,
  TimeoutError,
  UnauthorizedError,
} from "./errors.ts";
export type { ClientCertificate, DeviceClientOptions, Identity, ServerClock } from "./options.ts";
export type { ProxyEnvironment } from "./proxy.ts";
export { type RetryOptions, withRetry } from "./with-retry.ts";
