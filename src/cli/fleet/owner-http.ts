import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Readable } from "node:stream";
import fetch, { type Response } from "node-fetch";
import { describeError } from "../../core/errors.ts";
import { TryLaterError } from "../errors.ts";
import { OwnerConflictError, OwnerRefusedError, OwnerUnauthorizedError } from "./errors.ts";

export interface OwnerServer {
  /** `scheme://host[:port]` */
  readonly baseUrl: string;
  readonly cik: string;
  /** PEM. */
  readonly ca: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface OwnerRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** With the query. */
  readonly path: string;
  readonly form?: readonly (readonly [string, string])[];
  readonly json?: unknown;
  readonly body?: string | Readable;
  readonly headers?: Readonly<Record<string, string>>;
  /** How long the server may be silent, milliseconds. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 60_000;

/** HTTP as the product owner (spec: provision-management.md): errors by class, connections kept. */
export class OwnerHttp {
  readonly #server: OwnerServer;
  readonly #agent: HttpAgent | HttpsAgent;

  constructor(server: OwnerServer) {
    this.#server = server;
    const options = { keepAlive: true, maxSockets: 8, proxyEnv: { ...server.env } };
    this.#agent = server.baseUrl.startsWith("https:")
      ? new HttpsAgent({ ...options, ...(server.ca !== undefined && { ca: server.ca }) })
      : new HttpAgent(options);
  }

  close(): void {
    this.#agent.destroy();
  }

  /**
   * The body of a good answer as text; empty where it has none.
   *
   * @throws OwnerUnauthorizedError, OwnerConflictError, OwnerRefusedError, TryLaterError
   */
  async text(request: OwnerRequest): Promise<string> {
    const response = await this.#send(request);
    const text = await response.text().catch((error: unknown) => {
      throw this.#unreachable(error);
    });
    if (response.ok) return text;
    throw failure(request, response, text);
  }

  async #send({ method, path, form, json, body, headers, timeoutMs }: OwnerRequest): Promise<Response> {
    const payload =
      form !== undefined
        ? new URLSearchParams(form.map(([key, value]): [string, string] => [key, value]))
        : json !== undefined
          ? JSON.stringify(json)
          : body;
    try {
      return await fetch(`${this.#server.baseUrl.replace(/\/$/, "")}${path}`, {
        method,
        headers: {
          "X-Exosite-CIK": this.#server.cik,
          ...(json !== undefined && { "Content-Type": "application/json; charset=utf-8" }),
          ...headers,
        },
        ...(payload !== undefined && { body: payload }),
        agent: this.#agent,
        // A redirect would carry the owner's CIK to wherever it points.
        redirect: "error",
        ...(payload === undefined || typeof payload === "string" || form !== undefined
          ? { signal: AbortSignal.timeout(timeoutMs ?? defaultTimeoutMs) }
          : {}),
      });
    } catch (error) {
      throw this.#unreachable(error);
    }
  }

  #unreachable(error: unknown): TryLaterError {
    return new TryLaterError(`${this.#server.baseUrl} cannot be reached: ${describeError(error)}`, {
      cause: error,
    });
  }
}

function failure({ method, path }: OwnerRequest, { status }: Response, text: string): Error {
  const said = saidBy(text);
  const what = `${said === "" ? `${method} ${path.split("?", 1)[0]}` : said} (${status})`;
  if (status === 401) {
    return new OwnerUnauthorizedError(`the server does not know this owner's CIK: ${what}`);
  }
  if (status === 409) return new OwnerConflictError(what);
  if (status === 429 || (status >= 500 && status !== 501)) {
    return new TryLaterError(`the server cannot do it now: ${what}`);
  }
  return new OwnerRefusedError(what, status);
}

/** The server's own words, be they a text or the console's JSON. */
function saidBy(text: string): string {
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value === "object" && value !== null && "error" in value) return String(value.error);
  } catch {
    // no JSON: the text itself
  }
  return text.trim().slice(0, 300);
}
