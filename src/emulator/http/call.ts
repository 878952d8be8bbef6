import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { HttpProblem } from "../errors.ts";
import type { Page } from "../store/types.ts";
import { Fields, parseForm } from "./form.ts";

/** What the request log tells about a call, filled in as it becomes known. */
export interface CallNotes {
  product: string | undefined;
  device: string | undefined;
  /** Aliases that the request wrote or recorded. */
  wrote: readonly string[] | undefined;
}

export interface CallParts {
  readonly request: IncomingMessage;
  readonly path: string;
  readonly query: string;
  readonly params: readonly string[];
  readonly hostProduct: string | undefined;
  readonly onGone: (listener: () => void) => () => void;
}

const productHost = /^([a-z0-9][a-z0-9-]*)\.m2\.exosite\.(?:io|com)(?::\d+)?$/i;

/** `<pid>.m2.exosite.io` or `.com`: the product that a request is addressed to. */
export function productOfHost(host: string | undefined): string | undefined {
  return host === undefined ? undefined : productHost.exec(host)?.[1]?.toLowerCase();
}

/** One request, read and ready for its route. */
export class Call {
  readonly request: IncomingMessage;
  readonly headers: IncomingHttpHeaders;
  readonly method: string;
  readonly path: string;
  /** Raw, without the question mark. */
  readonly queryText: string;
  /** The decoded variable parts of the path. */
  readonly params: readonly string[];
  readonly hostProduct: string | undefined;
  /** Calls back when the client hangs up; returns what takes the listener away. */
  readonly onGone: (listener: () => void) => () => void;
  readonly notes: CallNotes = { product: undefined, device: undefined, wrote: undefined };
  /** Called once it is known which device asks. */
  onIdentified: () => void = () => undefined;
  /** Empty for routes that read the request as a stream. */
  body: Buffer = Buffer.alloc(0);
  #query: Fields | undefined;

  constructor(parts: CallParts) {
    this.request = parts.request;
    this.headers = parts.request.headers;
    this.method = parts.request.method ?? "GET";
    this.path = parts.path;
    this.queryText = parts.query;
    this.params = parts.params;
    this.hostProduct = parts.hostProduct;
    this.onGone = parts.onGone;
    this.notes.product = parts.hostProduct;
  }

  get query(): Fields {
    this.#query ??= new Fields(parseForm(Buffer.from(this.queryText)));
    return this.#query;
  }

  /** Variable part `index` of the path. */
  param(index: number): string {
    return this.params[index] ?? "";
  }

  header(name: string): string | undefined {
    const value = this.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  /** @throws HttpProblem 415 when the body is said to be something other than a form */
  form(): Fields {
    if (!this.hasType("application/x-www-form-urlencoded", true)) {
      throw new HttpProblem(415, "expected application/x-www-form-urlencoded");
    }
    return new Fields(parseForm(this.body));
  }

  /** Whether the body's media type is this one. `orNone`: a request that names none counts too. */
  hasType(mediaType: string, orNone = false): boolean {
    const type = this.header("content-type");
    if (type === undefined || type === "") return orNone;
    return type.split(";", 1)[0]?.trim().toLowerCase() === mediaType;
  }

  /** `offset` and `limit` (5 to 1000, 1000 when not given). @throws HttpProblem 400 */
  page(): Page {
    const offset = wholeNumber(this.query.get("offset") ?? "0");
    const limit = wholeNumber(this.query.get("limit") ?? "1000");
    if (offset === undefined) throw new HttpProblem(400, "offset must be a whole number");
    if (limit === undefined || limit < 5 || limit > 1000) {
      throw new HttpProblem(400, "limit must be a whole number from 5 to 1000");
    }
    return { offset, limit };
  }
}

/** Decimal digits as a safe number; undefined for anything else. */
export function wholeNumber(value: string): number | undefined {
  const number = Number(value);
  return /^\d{1,15}$/.test(value) && Number.isSafeInteger(number) ? number : undefined;
}
