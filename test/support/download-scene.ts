import { createCipheriv } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../../src/core/logger.ts";
import { DeviceClient } from "../../src/device-client/index.ts";
import { type FetchOptions, fetchPackage } from "../../src/ota/download/fetch-package.ts";
import { packageFiles } from "../../src/ota/download/partial-file.ts";
import { defaultOtaLimits, type OtaLimits } from "../../src/ota/index.ts";
import { durableFiles } from "../../src/platform/durable-files.ts";
import { systemClock } from "../../src/platform/system-clock.ts";
import { startTestEmulator, type TestEmulator } from "./emulator.ts";

const product = "downloads";
export const contentId = "meter.v1.tar.gz";
export const mebibyte = 1024 * 1024;

/** Every MiB is made durable, and nothing is waited for. */
const eagerLimits: OtaLimits = {
  ...defaultOtaLimits,
  reserveBytes: 0,
  downloadRetry: { firstDelayMs: 1, maxDelayMs: 2, factor: 2, jitter: 0.5 },
  downloadResumeDelayMs: 0,
  downloadCheckpoint: { bytes: mebibyte, minIntervalMs: 0, maxIntervalMs: 60_000 },
};

export type SceneOverrides = Partial<Omit<FetchOptions, "limits">> & { readonly limits?: Partial<OtaLimits> };

/** Where a package is fetched to, how, and by whom; the same in every process that is told where Murano is. */
export function sceneOptions(parts: {
  readonly url: string;
  readonly cik: string;
  readonly directory: string;
}): { readonly options: FetchOptions; readonly client: DeviceClient } {
  const client = new DeviceClient({ baseUrl: parts.url, cik: parts.cik, vendor: product, model: product });
  const options: FetchOptions = {
    content: client,
    files: durableFiles,
    clock: systemClock,
    random: () => 0.5,
    logger: silentLogger,
    limits: eagerLimits,
    contentId,
    file: join(parts.directory, "packages", contentId),
    signal: new AbortController().signal,
    onProgress: () => undefined,
  };
  return { options, client };
}

/** One package at an emulated Murano, a real device client, and a directory to fetch it to. */
export class DownloadScene implements AsyncDisposable {
  readonly emulator: TestEmulator;
  readonly cik: string;
  readonly directory = mkdtempSync(join(tmpdir(), "gwe-download-"));
  readonly options: FetchOptions;
  private readonly client: DeviceClient;

  private constructor(emulator: TestEmulator, cik: string) {
    this.emulator = emulator;
    this.cik = cik;
    const { options, client } = sceneOptions({ url: emulator.url, cik, directory: this.directory });
    this.options = options;
    this.client = client;
  }

  static async start(content: string | Buffer): Promise<DownloadScene> {
    const emulator = await startTestEmulator();
    const { cik } = await emulator.addActivated(product, "1");
    const scene = new DownloadScene(emulator, cik);
    await scene.upload(content);
    return scene;
  }

  async upload(content: string | Buffer): Promise<void> {
    await this.emulator.addContent(product, contentId, new Uint8Array(Buffer.from(content)));
  }

  /** The next upload will be of another second. */
  async secondsLater(offsetS: number): Promise<void> {
    await this.emulator.owner("PUT", "/_emulator/clock", { body: JSON.stringify({ offsetS }) });
  }

  fetch({ limits, ...overrides }: SceneOverrides = {}): Promise<number> {
    return fetchPackage({ ...this.options, ...overrides, limits: { ...eagerLimits, ...limits } });
  }

  /** Fetches until that many bytes are held and stops as a restart of the engine would. */
  async fetchUntil(bytes: number, overrides: SceneOverrides = {}): Promise<void> {
    const stop = new AbortController();
    const onProgress = (received: number): void => {
      if (received >= bytes) stop.abort(new DOMException("stopped", "AbortError"));
    };
    await this.fetch({ ...overrides, signal: stop.signal, onProgress }).then(
      () => Promise.reject(new TypeError("the download was not to end")),
      (error: unknown) => {
        if (error !== stop.signal.reason) throw error;
      },
    );
  }

  get paths(): ReturnType<typeof packageFiles> {
    return packageFiles(this.options.file);
  }

  /** What lies under the package's name. */
  get fetched(): Buffer {
    return readFileSync(this.paths.whole);
  }

  get heldBytes(): number {
    return (JSON.parse(readFileSync(this.paths.state, "utf8")) as { heldBytes: number }).heldBytes;
  }

  /** Statuses of all download requests, in order. */
  statuses(after = 0): readonly number[] {
    return this.emulator.requests({ procedure: "download", after }).map(({ status }) => status);
  }

  bytesServed(after = 0): number {
    const entries = this.emulator.requests({ procedure: "download", after });
    return entries.reduce((sum, { responseBytes }) => sum + responseBytes, 0);
  }

  /** Changes one byte of what is held. */
  damage(position: number): void {
    const bytes = readFileSync(this.paths.partial);
    bytes[position] = (bytes[position] ?? 0) ^ 1;
    writeFileSync(this.paths.partial, bytes);
  }

  sizeOfPartial(): number {
    return statSync(this.paths.partial).size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    await this.emulator.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** The same in every run, and not the same anywhere in it. */
export function noise(bytes: number): Buffer {
  return createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(bytes));
}
