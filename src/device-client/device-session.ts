import { isCik } from "../core/cik.ts";
import {
  parseCik,
  parseContentInfo,
  parseContentList,
  parseLongPoll,
  parseTimestamp,
  parseValues,
} from "./answers.ts";
import type {
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
import { rangeHeader, toDownload } from "./download.ts";
import { RejectedError, UnauthorizedError } from "./errors.ts";
import { refused } from "./failures.ts";
import { encodeCompactForm, encodeForm, encodeText, type Pair } from "./form.ts";
import { type Identity, positive } from "./options.ts";
import { areRepeatable } from "./repeatable.ts";
import type { CompleteAnswer, RequestSender, WireRequest } from "./wire.ts";

const formType = "application/x-www-form-urlencoded; charset=utf-8";
const stackPath = "/onep:v1/stack/alias";
const longestPollMs = 300_000;
/**
 * Whoever gives up on a server that is only slow loses the one CIK that it will give: until a person enables the serial
 * again it answers 409.
 */
const activationPatience = 4;

/** What differs from one request to the next; the rest comes from the identity. */
type RequestParts = Pick<WireRequest, "procedure" | "path" | "patience"> & {
  readonly headers?: Readonly<Record<string, string>>;
  readonly form?: string;
  readonly json?: (cik: string | undefined) => string;
  readonly holdMs?: number;
  readonly repeatable?: boolean;
  /** How the device says who it is: by header, in the JSON body, or not at all. Default `header`. */
  readonly auth?: "header" | "body" | "none";
};

/** The Device API's procedures for one identity, over whatever sends requests. */
export class DeviceSession implements DeviceApi {
  readonly #sender: RequestSender;
  readonly #identity: Identity;

  constructor(sender: RequestSender, identity: Identity) {
    this.#sender = sender;
    this.#identity = identity;
  }

  async write(values: AliasValues, options?: CallOptions): Promise<Answer> {
    const pairs = Object.entries(values);
    if (pairs.length === 0) throw refused("write", "no value to write");
    return await this.#change(
      { procedure: "write", path: stackPath, form: encodeCompactForm(pairs) },
      options,
    );
  }

  async read(aliases: readonly string[], options?: CallOptions): Promise<ReadAnswer> {
    const path = readPath("read", aliases);
    return await this.#values({ procedure: "read", path, repeatable: true }, aliases, options);
  }

  async writeRead(
    values: AliasValues,
    aliases: readonly string[],
    options?: CallOptions,
  ): Promise<ReadAnswer> {
    const form = encodeCompactForm(Object.entries(values));
    const path = readPath("writeRead", aliases);
    // With nothing to write it is a read, and an empty form would be a malformed write.
    const parts = form === "" ? { repeatable: true } : { form };
    return await this.#values({ procedure: "writeRead", path, ...parts }, aliases, options);
  }

  async longPoll(alias: string, options: LongPollOptions): Promise<LongPollAnswer> {
    const holdMs = Math.ceil(Math.min(longestPollMs, Math.max(1, options.timeoutMs)));
    const headers: Record<string, string> = { Accept: formType, "Request-Timeout": String(holdMs) };
    // Unix seconds rather than a date: shorter, and no zone or locale to get wrong. Rounded down: a value may come
    // twice, but none is missed.
    const { sinceMs } = options;
    if (sinceMs !== undefined) headers["If-Modified-Since"] = String(Math.floor(sinceMs / 1000));
    const path = readPath("longPoll", [alias]);
    const request = this.#request(
      { procedure: "longPoll", path, headers, holdMs, repeatable: true },
      options,
    );
    return parseLongPoll(await this.#sender.send(request, [200, 204, 304]), alias);
  }

  async record(series: readonly RecordSeries[], options?: CallOptions): Promise<Answer> {
    const pairs = series.flatMap(({ alias, points }): Pair[] =>
      points.length === 0 ? [] : [["alias", alias], ...timestamped("record", points)],
    );
    if (pairs.length === 0) throw refused("record", "no point to record");
    const path = "/onep:v1/stack/record";
    const form = encodeCompactForm(pairs);
    return await this.#change({ procedure: "record", path, form, repeatable: true }, options);
  }

  async recordAlias(alias: string, points: readonly Point[], options?: CallOptions): Promise<Answer> {
    if (points.length === 0) throw refused("recordAlias", "no point to record");
    // Every URL parser would take these for steps through the path.
    if (/^(|\.|\.\.)$/.test(alias)) throw refused("recordAlias", "this alias fits in no path: use record");
    const path = `${stackPath}/${encodeText(alias)}`;
    const form = encodeCompactForm(timestamped("recordAlias", points));
    return await this.#change({ procedure: "recordAlias", path, form, repeatable: true }, options);
  }

  async rpc(calls: readonly RpcCall[], options?: RpcOptions): Promise<readonly RpcResult[]> {
    if (calls.length === 0) return [];
    const { parseRpcResults } = await import("./rpc.ts");
    return parseRpcResults(await this.#rpc("rpc", calls, options), calls.length);
  }

  async readHistory(alias: string, options: ReadHistoryOptions = {}): Promise<readonly Point[]> {
    const { parseHistory, readHistoryCall } = await import("./rpc.ts");
    return parseHistory(await this.#rpc("readHistory", [readHistoryCall(alias, options)], options));
  }

  async activate(
    request: ActivationRequest | { readonly id: string },
    options?: CallOptions,
  ): Promise<string> {
    const pairs: Pair[] =
      "id" in request
        ? [["id", request.id]]
        : [
            ["vendor", request.vendor],
            ["model", request.model],
            ["sn", request.sn],
          ];
    const path = "/provision/activate";
    const form = encodeForm(pairs);
    const parts = { procedure: "activate", path, form, auth: "none", patience: activationPatience } as const;
    return parseCik(await this.#sender.send(this.#request(parts, options), [200]));
  }

  async listContent(options?: CallOptions): Promise<readonly string[]> {
    const request = this.#contentRequest("listContent", {}, options);
    return parseContentList(await this.#sender.send(request, [200, 204]));
  }

  async contentInfo(id: string, options?: CallOptions): Promise<ContentInfo> {
    const request = this.#contentRequest("contentInfo", { id, info: "true" }, options);
    const answer = await this.#sender.send(request, [200, 204]);
    if (answer.status === 204) {
      const details = { procedure: "contentInfo", status: 204, context: { id } } as const;
      throw new RejectedError("contentInfo: no such content (204)", details);
    }
    return parseContentInfo(answer, id);
  }

  async download(request: DownloadRequest, options?: CallOptions): Promise<Download> {
    const range = rangeHeader(request);
    const headers = range === undefined ? {} : { Range: range };
    const { id, idleTimeoutMs } = request;
    const wireRequest = {
      ...this.#contentRequest("download", { id }, options, headers),
      ...(idleTimeoutMs !== undefined && { idleTimeoutMs: positive("idleTimeoutMs", idleTimeoutMs) }),
    };
    return toDownload(await this.#sender.open(wireRequest, [200, 204, 206]), request);
  }

  async timestamp(options?: CallOptions): Promise<number> {
    const parts = { procedure: "timestamp", path: "/timestamp", auth: "none", repeatable: true } as const;
    return parseTimestamp(await this.#sender.send(this.#request(parts, options), [200]));
  }

  /** A change that is answered by 204 alone: a 200 with anything in it is a captive portal's, and the data not safe. */
  async #change(parts: RequestParts, options: CallOptions | undefined): Promise<Answer> {
    const { serverTimeMs } = await this.#sender.send(this.#request(parts, options), [204]);
    return { serverTimeMs };
  }

  async #values(
    parts: RequestParts,
    aliases: readonly string[],
    options: CallOptions | undefined,
  ): Promise<ReadAnswer> {
    const request = this.#request({ ...parts, headers: { Accept: formType } }, options);
    const answer = await this.#sender.send(request, [200, 204]);
    return { values: parseValues(answer, aliases), serverTimeMs: answer.serverTimeMs };
  }

  async #rpc(
    procedure: "rpc" | "readHistory",
    calls: readonly RpcCall[],
    options: RpcOptions | undefined,
  ): Promise<CompleteAnswer> {
    const { rpcBody } = await import("./rpc.ts");
    const clientId = options?.clientId;
    const json = (cik: string | undefined) => rpcBody(calls, { cik, clientId });
    const path = "/onep:v1/rpc/process";
    const parts = { procedure, path, json, auth: "body", repeatable: areRepeatable(calls) } as const;
    return await this.#sender.send(this.#request(parts, options), [200]);
  }

  #contentRequest(
    procedure: Procedure,
    query: Readonly<Record<string, string>>,
    options: CallOptions | undefined,
    headers: Readonly<Record<string, string>> = {},
  ): WireRequest {
    const { vendor, model } = this.#identity;
    if (!vendor || !model) throw refused(procedure, "the client was given no vendor and model");
    const path = `/provision/download?${encodeForm(Object.entries({ vendor, model, ...query }))}`;
    return this.#request({ procedure, path, headers, repeatable: true }, options);
  }

  #request(parts: RequestParts, options: CallOptions | undefined): WireRequest {
    const { procedure, path, form, json, holdMs, patience, auth = "header", repeatable = false } = parts;
    const { clientCertificate, consumer } = this.#identity;
    const cik = auth === "none" ? undefined : this.#cik(procedure);
    const body = json?.(cik) ?? form;
    const contentType = json === undefined ? formType : "application/json; charset=utf-8";
    return {
      procedure,
      path,
      method: body === undefined ? "GET" : "POST",
      headers: {
        ...parts.headers,
        ...(body !== undefined && { "Content-Type": contentType }),
        ...(auth === "header" && cik !== undefined && { "X-Exosite-CIK": cik }),
      },
      ...(body !== undefined && { body }),
      ...(holdMs !== undefined && { holdMs }),
      ...(patience !== undefined && { patience }),
      repeatable,
      signal: options?.signal,
      clientCertificate,
      consumer,
      secret: cik,
    };
  }

  /** Undefined when the client certificate speaks for the device. */
  #cik(procedure: Procedure): string | undefined {
    const { cik, clientCertificate } = this.#identity;
    if (clientCertificate !== undefined) return undefined;
    const current = typeof cik === "function" ? cik() : cik;
    if (current !== undefined && isCik(current)) return current;
    // Murano would answer 401: the round trip is spared, and a malformed secret never leaves.
    const reason = current ? "the CIK is not 40 letters and digits" : "there is no CIK";
    throw new UnauthorizedError(`${procedure}: ${reason}`, { procedure });
  }
}

function readPath(procedure: Procedure, aliases: readonly string[]): string {
  if (aliases.length === 0 || aliases.includes("")) throw refused(procedure, "an alias to read is missing");
  return `${stackPath}?${aliases.map(encodeText).join("&")}`;
}

function timestamped(procedure: Procedure, points: readonly Point[]): Pair[] {
  return points.map(([timestamp, value]) => {
    if (Number.isSafeInteger(timestamp) && timestamp >= 0) return [String(timestamp), value];
    throw refused(procedure, `${timestamp} is no timestamp in whole unix seconds`);
  });
}
