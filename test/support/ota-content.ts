import type { CallOptions, ContentInfo, Download, DownloadRequest } from "../../src/device-client/index.ts";
import { RejectedError } from "../../src/device-client/index.ts";

/** What the next exchange does instead of working. */
export type ContentTrouble =
  | { readonly at: "info"; readonly error: Error }
  | { readonly at: "download"; readonly error: Error }
  | { readonly at: "body"; readonly afterBytes: number; readonly error: Error }
  /** The whole has another size than announced. */
  | { readonly at: "length"; readonly sendBytes: number };

/** Murano's content area as a port, with troubles on demand: one each exchange, in order. */
export class FakeContent {
  readonly files = new Map<string, Buffer>();
  /** What was given when a content was made; "" without. */
  readonly metas = new Map<string, string>();
  readonly troubles: ContentTrouble[] = [];
  readonly requests: string[] = [];
  private onHang: (() => void) | undefined;

  async contentInfo(id: string, options?: CallOptions): Promise<ContentInfo> {
    options?.signal?.throwIfAborted();
    this.requests.push(`info ${id}`);
    const trouble = this.take("info");
    if (trouble !== undefined) throw trouble.error;
    const file = this.files.get(id);
    if (file === undefined) {
      throw new RejectedError("not found", { procedure: "contentInfo", status: 404 });
    }
    return {
      id,
      contentType: "application/gzip",
      sizeBytes: file.length,
      updatedAt: 1,
      meta: this.metas.get(id) ?? "",
    };
  }

  async download({ id, offset = 0 }: DownloadRequest, options?: CallOptions): Promise<Download> {
    options?.signal?.throwIfAborted();
    this.requests.push(`download ${id}`);
    const trouble = this.take("download");
    if (trouble !== undefined) throw trouble.error;
    const file = this.files.get(id);
    if (file === undefined) throw new RejectedError("not found", { procedure: "download", status: 404 });
    const began = this.onHang;
    if (began !== undefined) {
      this.onHang = undefined;
      await new Promise((_, reject) => {
        options?.signal?.addEventListener("abort", () => reject(options.signal?.reason), { once: true });
        began();
      });
    }
    const cut = this.take("body");
    const length = this.take("length");
    return {
      offset,
      totalBytes: length?.sendBytes ?? file.length,
      contentType: "application/gzip",
      serverTimeMs: undefined,
      body: bodyOf(file.subarray(offset), cut, length),
    };
  }

  /** The next download stalls until it is given up. Resolves when it has begun. */
  hang(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.onHang = resolve;
    return promise;
  }

  private take<T extends ContentTrouble["at"]>(at: T): Extract<ContentTrouble, { at: T }> | undefined {
    if (this.troubles[0]?.at !== at) return undefined;
    return this.troubles.shift() as Extract<ContentTrouble, { at: T }>;
  }
}

async function* bodyOf(
  file: Buffer,
  cut: Extract<ContentTrouble, { at: "body" }> | undefined,
  length: Extract<ContentTrouble, { at: "length" }> | undefined,
): AsyncGenerator<Uint8Array> {
  const whole = length === undefined ? file : Buffer.concat([file, Buffer.alloc(length.sendBytes)]);
  const end = cut?.afterBytes ?? length?.sendBytes ?? whole.length;
  for (let offset = 0; offset < end; offset += 65_536) {
    yield whole.subarray(offset, Math.min(end, offset + 65_536));
  }
  if (cut !== undefined) throw cut.error;
}
