/** The Exosite HTTP Device API as an interface (spec: device-api.md). Wrappers (retry, audit, re-activation) share it. */

/** What an error or an audited exchange is about. */
export type Procedure = keyof DeviceApi;

/** Every call takes these. An aborted call rejects with the signal's reason. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** Alias → value. Values arrive byte for byte; keys that do not exist in Murano are skipped there. */
export type AliasValues = Readonly<Record<string, string>>;

/** What every data call also learns. */
export interface Answer {
  /** The server's clock from the Date header, unix milliseconds (whole seconds); undefined without one. */
  readonly serverTimeMs: number | undefined;
}

export interface ReadAnswer extends Answer {
  /** Latest value of each asked alias that has one. */
  readonly values: ReadonlyMap<string, string>;
}

export type LongPollAnswer = Answer &
  (
    | {
        readonly changed: true;
        readonly value: string;
        /** To be passed as `since` in the next poll, so that no value between two polls is missed. */
        readonly lastModifiedMs: number | undefined;
      }
    | { readonly changed: false }
  );

/** `[unix seconds, value]` */
export type Point = readonly [timestamp: number, value: string];

export interface RecordSeries {
  readonly alias: string;
  readonly points: readonly Point[];
}

export interface ActivationRequest {
  readonly vendor: string;
  readonly model: string;
  readonly sn: string;
}

export interface ContentInfo {
  readonly id: string;
  /** Empty while nothing was uploaded. */
  readonly contentType: string;
  readonly sizeBytes: number;
  /** Unix seconds of the last upload. */
  readonly updatedAt: number;
  readonly meta: string;
}

export interface DownloadRequest {
  readonly id: string;
  /** First byte wanted; 0 asks for the whole without a Range header. */
  readonly offset?: number;
  /** Last byte wanted, inclusive. */
  readonly end?: number;
  /** In place of `offset` and `end`: that many bytes from the end (all, where there are fewer). */
  readonly lastBytes?: number;
  /**
   * Longest time without a byte from the server in this download, milliseconds; by default the client's own. A big
   * content over a poor link is worth more patience than a question whose answer fits a packet.
   */
  readonly idleTimeoutMs?: number;
}

export interface Download extends Answer {
  /** Where the body starts in the content when the server honoured the range, else 0 (the whole follows). */
  readonly offset: number;
  /** Size of the whole content, from Content-Range or Content-Length; undefined when not told. */
  readonly totalBytes: number | undefined;
  readonly contentType: string | undefined;
  /**
   * The bytes as they arrive; throws NetworkError or TimeoutError when the body is cut or stalls. To be read once,
   * beginning within the idle time-out; leaving the loop early closes the connection.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface RpcCall {
  readonly procedure: string;
  readonly arguments: readonly unknown[];
}

/** `status` is `ok` or the server's word for what failed; `result` is present when ok. */
export interface RpcResult {
  readonly status: string;
  readonly result?: unknown;
  readonly error?: unknown;
}

export interface RpcOptions extends CallOptions {
  /** Act on this child client (its rid) with the caller's CIK. */
  readonly clientId?: string;
}

export interface LongPollOptions extends CallOptions {
  /** How long the server may hold the request, 1 to 300 000 (more is cut to that). */
  readonly timeoutMs: number;
  /** The last `lastModifiedMs`; without it, only values written from now on. */
  readonly sinceMs?: number;
}

export interface ReadHistoryOptions extends CallOptions {
  /** Unix seconds, inclusive. Without them: from the first point, to the last. */
  readonly startTime?: number;
  readonly endTime?: number;
  /** Points at most, from the start of the sorted range; 1000 by default (Murano's own default is 1). */
  readonly limit?: number;
  /** By timestamp; `asc` (oldest first) by default. */
  readonly sort?: "asc" | "desc";
}

/**
 * One device's view of Murano. Each call rejects with a `DeviceApiError` subclass (errors.ts).
 * Reads, records, content calls, `timestamp` and RPC reads are safe to repeat; a repeated `write`
 * can leave a second point; a repeated `activate` can void the CIK that the lost answer carried.
 */
export interface DeviceApi {
  /** One timestamp, the server's, for all values. @throws RejectedError without a request when there is no value */
  write(values: AliasValues, options?: CallOptions): Promise<Answer>;
  read(aliases: readonly string[], options?: CallOptions): Promise<ReadAnswer>;
  /** Hybrid: all writes happen before all reads; one round trip. */
  writeRead(values: AliasValues, aliases: readonly string[], options?: CallOptions): Promise<ReadAnswer>;
  /** `changed: false` may come at once where the alias does not exist: don't poll again without a pause. */
  longPoll(alias: string, options: LongPollOptions): Promise<LongPollAnswer>;
  /** Timestamps are whole unix seconds. @throws ConflictError naming those less than a second apart */
  record(series: readonly RecordSeries[], options?: CallOptions): Promise<Answer>;
  /** The older form: one alias in the path. */
  recordAlias(alias: string, points: readonly Point[], options?: CallOptions): Promise<Answer>;
  /** Results in the order of the calls. A call that failed is a result with its `status`, not an error. */
  rpc(calls: readonly RpcCall[], options?: RpcOptions): Promise<readonly RpcResult[]>;
  /** History of an alias through RPC `read`. @throws RejectedError where the server does not serve RPC */
  readHistory(alias: string, options?: ReadHistoryOptions): Promise<readonly Point[]>;
  /** Resolves to the CIK (40 characters). @throws ConflictError (409), RejectedError with status 404 */
  activate(request: ActivationRequest | { readonly id: string }, options?: CallOptions): Promise<string>;
  listContent(options?: CallOptions): Promise<readonly string[]>;
  contentInfo(id: string, options?: CallOptions): Promise<ContentInfo>;
  /**
   * @throws RejectedError with status 416 when `offset` lies behind the end (its context holds `totalBytes` if told);
   * without a request when the range makes no sense
   */
  download(request: DownloadRequest, options?: CallOptions): Promise<Download>;
  /** The server's unix seconds; needs no CIK. */
  timestamp(options?: CallOptions): Promise<number>;
}
