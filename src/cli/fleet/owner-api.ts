import type { Readable } from "node:stream";
import { parseCsv } from "../../core/csv.ts";
import type { DeviceApi, RpcCall, RpcResult } from "../../device-client/index.ts";
import { CommandError } from "../errors.ts";
import type { OwnerHttp } from "./owner-http.ts";

/** A serial of a product. */
export interface Serial {
  readonly product: string;
  readonly sn: string;
  /** `activated`, `notactivated`, `expired`; empty: it has no client. */
  readonly status: string;
  /** Its client's; empty: it has none. */
  readonly rid: string;
  readonly extra: string;
}

export interface Content {
  readonly id: string;
  readonly contentType: string;
  readonly sizeBytes: number;
  /** Unix seconds. */
  readonly updatedAt: number;
  readonly meta: string;
  readonly protected: boolean;
}

const pageSize = 1000;
/** Serials sent in one request. */
const bulk = 10_000;

/** What an owner can do on any Murano-compatible server: the management side by HTTP, dataports by RPC. */
export class OwnerApi {
  readonly #http: OwnerHttp;
  readonly #device: Pick<DeviceApi, "rpc" | "timestamp">;

  /** @param device speaks with the owner's CIK */
  constructor(http: OwnerHttp, device: Pick<DeviceApi, "rpc" | "timestamp">) {
    this.#http = http;
    this.#device = device;
  }

  /** The server's unix seconds. */
  timestamp(): Promise<number> {
    return this.#device.timestamp();
  }

  async products(): Promise<readonly string[]> {
    return (await this.#pages("/provision/manage/model/")).map(([name = ""]) => name);
  }

  async serials(product: string): Promise<readonly Serial[]> {
    const rows = await this.#pages(`${modelPath(product)}/`, "status=true");
    return rows.map(([sn = "", status = "", rid = "", extra = ""]) => ({ product, sn, status, rid, extra }));
  }

  /** Undefined for one that has no client. @throws OwnerRefusedError 404 */
  async serial(product: string, sn: string): Promise<Serial | undefined> {
    const [row] = rowsOf(await this.#http.text({ method: "GET", path: serialPath(product, sn) }));
    const [status = "", rid = "", extra = ""] = row ?? [];
    return rid === "" ? undefined : { product, sn, status, rid, extra };
  }

  /** Adds them all; those that are there already make the server refuse their request. */
  async addSerials(
    product: string,
    serials: readonly { readonly sn: string; readonly extra: string }[],
  ): Promise<void> {
    for (let start = 0; start < serials.length; start += bulk) {
      const rows = serials
        .slice(start, start + bulk)
        .map(({ sn, extra }) => `${quoted(sn)},${quoted(extra)}\r\n`);
      await this.#http.text({
        method: "POST",
        path: `${modelPath(product)}/`,
        headers: { "Content-Type": "text/csv; charset=utf-8" },
        body: rows.join(""),
      });
    }
  }

  /** Voids the CIK, if there is one, and opens activation; `oldSn` gives this serial the client of another. */
  async enable(product: string, sn: string, oldSn?: string): Promise<void> {
    const form: [string, string][] = [["enable", "true"]];
    if (oldSn !== undefined) form.push(["oldsn", oldSn]);
    await this.#http.text({ method: "POST", path: serialPath(product, sn), form });
  }

  /** Serials in a group, directly or through groups in it. */
  async groupMembers(product: string, group: string): Promise<ReadonlySet<string>> {
    const members = new Set<string>();
    const seen = new Set<string>();
    const waiting = [group];
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      if (seen.has(name)) continue;
      seen.add(name);
      const path = `/provision/manage/group/${encodeURIComponent(product)}/${encodeURIComponent(name)}/`;
      for (const [type, id = "", expire = ""] of await this.#pages(path)) {
        if (expire !== "" && Number(expire) <= Date.now() / 1000) continue;
        if (type === "sn") members.add(id);
        if (type === "group") waiting.push(id);
      }
    }
    return members;
  }

  async contents(product: string): Promise<readonly string[]> {
    // An id has a line of its own: a comma in it is no separator, quoted or not.
    return (await this.#pages(contentPath(product))).map((row) => row.join(","));
  }

  async content(product: string, id: string): Promise<Content> {
    const path = contentPath(product) + encodeURIComponent(id);
    const [row = []] = rowsOf(await this.#http.text({ method: "GET", path }));
    const [contentType = "", size = "", updated = "", meta = "", isProtected = ""] = row;
    return {
      id,
      contentType,
      sizeBytes: Number(size),
      updatedAt: Number(updated),
      meta,
      protected: isProtected === "true",
    };
  }

  async createContent(product: string, id: string, meta: string): Promise<void> {
    const form: [string, string][] = [
      ["id", id],
      ["meta", meta],
    ];
    await this.#http.text({ method: "POST", path: contentPath(product), form });
  }

  async uploadContent(
    product: string,
    id: string,
    blob: { readonly body: Readable; readonly sizeBytes: number },
  ): Promise<void> {
    await this.#http.text({
      method: "POST",
      path: contentPath(product) + encodeURIComponent(id),
      headers: { "Content-Type": "application/gzip", "Content-Length": String(blob.sizeBytes) },
      body: blob.body,
    });
  }

  async removeContent(product: string, id: string): Promise<void> {
    await this.#http.text({ method: "DELETE", path: contentPath(product) + encodeURIComponent(id) });
  }

  /** Calls on one device's behalf, in order. @throws DeviceApiError */
  async calls(rid: string, calls: readonly RpcCall[]): Promise<readonly RpcResult[]> {
    return await this.#device.rpc(calls, { clientId: rid });
  }

  async #pages(path: string, query = ""): Promise<readonly (readonly string[])[]> {
    const rows: (readonly string[])[] = [];
    for (;;) {
      const page = `offset=${rows.length}&limit=${pageSize}${query === "" ? "" : `&${query}`}`;
      const got = rowsOf(await this.#http.text({ method: "GET", path: `${path}?${page}` }));
      rows.push(...got);
      if (got.length < pageSize) return rows;
    }
  }
}

function rowsOf(text: string): readonly (readonly string[])[] {
  const rows = parseCsv(text);
  if (rows === undefined) throw new CommandError("the server's list cannot be read: it is no CSV");
  return rows;
}

function modelPath(product: string): string {
  return `/provision/manage/model/${encodeURIComponent(product)}`;
}

function serialPath(product: string, sn: string): string {
  return `${modelPath(product)}/${encodeURIComponent(sn)}`;
}

function contentPath(product: string): string {
  return `/provision/manage/content/${encodeURIComponent(product)}/`;
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
