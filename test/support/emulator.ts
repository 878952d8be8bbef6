/** A local Murano for tests: in-process, on a port of the kernel's choice, in a directory of its own. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Emulator,
  type EmulatorOptions,
  type Fault,
  type OpenEntry,
  type RequestEntry,
  type RequestFilter,
  startEmulator,
  WaitTimeoutError,
  waitFor,
} from "../../src/emulator/index.ts";
import { EmulatedDevice, type OwnerAccess, ownerFetch } from "./emulated-device.ts";
import { patienceMs } from "./eventually.ts";
import { dropTestDatabase, testDatabase } from "./test-database.ts";

export type { Point } from "./emulated-device.ts";
export { EmulatedDevice };

export interface TestEmulatorOptions extends Omit<EmulatorOptions, "dataDirectory" | "database"> {
  /** Keep what an earlier emulator left; by default a fresh directory, removed on close. */
  readonly dataDirectory?: string;
}

export interface ContentOptions {
  readonly contentType?: string;
  readonly meta?: string;
  readonly protected?: boolean;
}

/** Starts an emulator; `await using` or `close()` ends it and removes its directory. */
export async function startTestEmulator({
  dataDirectory: given,
  ...options
}: TestEmulatorOptions = {}): Promise<TestEmulator> {
  const own = given === undefined;
  const dataDirectory = given ?? (await mkdtemp(join(tmpdir(), "emulator-")));
  const database = await testDatabase(dataDirectory);
  const emulator = await startEmulator({
    ...options,
    ...(database === undefined ? { dataDirectory } : { database }),
  });
  return new TestEmulator(emulator, dataDirectory, own);
}

export class TestEmulator implements AsyncDisposable {
  readonly url: string;
  /** The owner's. */
  readonly token: string;
  readonly cik: string;
  readonly emulator: Emulator;
  readonly dataDirectory: string;
  readonly #ownsDirectory: boolean;

  constructor(emulator: Emulator, dataDirectory: string, ownsDirectory: boolean) {
    this.emulator = emulator;
    this.url = emulator.url;
    this.token = emulator.token;
    this.cik = emulator.cik;
    this.dataDirectory = dataDirectory;
    this.#ownsDirectory = ownsDirectory;
  }

  /** A product (a model of that name); one that exists is fine. */
  async addProduct(product: string): Promise<void> {
    await this.owner("POST", "/provision/manage/model/", { form: { model: product }, accept: [205, 409] });
  }

  /** A serial, its product too; activation is open unless `enable` is false. */
  async addSerial(
    product: string,
    sn: string,
    { enable = true }: { enable?: boolean } = {},
  ): Promise<EmulatedDevice> {
    await this.addProduct(product);
    await this.owner("POST", `/provision/manage/model/${product}/`, { form: { sn }, accept: [205, 409] });
    const device = this.device(product, sn);
    if (enable) await device.enable();
    return device;
  }

  /** Adds a serial and activates it as a gateway would; resolves to the device with its CIK. */
  async addActivated(product: string, sn: string): Promise<{ device: EmulatedDevice; cik: string }> {
    const device = await this.addSerial(product, sn);
    return { device, cik: await device.activate() };
  }

  /** The owner's view of a device: write commands, read what it reported. */
  device(product: string, sn: string): EmulatedDevice {
    return new EmulatedDevice(this, product, sn);
  }

  /** Creates a content id (one that exists is fine) and uploads its blob. */
  async addContent(
    product: string,
    id: string,
    blob: string | Uint8Array<ArrayBuffer>,
    options: ContentOptions = {},
  ): Promise<void> {
    await this.addProduct(product);
    const path = `/provision/manage/content/${product}/`;
    const form = { id, meta: options.meta ?? "", ...(options.protected && { protected: "true" }) };
    await this.owner("POST", path, { form, accept: [205, 409] });
    await this.owner("POST", path + encodeURIComponent(id), {
      body: blob,
      headers: { "Content-Type": options.contentType ?? "application/gzip" },
      accept: [205],
    });
  }

  async removeContent(product: string, id: string): Promise<void> {
    await this.owner("DELETE", `/provision/manage/content/${product}/${encodeURIComponent(id)}`, {
      accept: [205],
    });
  }

  /** Adds a fault; returns its id. See docs/murano-emulator.md. */
  addFault(fault: Fault): string {
    return this.emulator.faults.add(fault);
  }

  removeFault(id: string): void {
    this.emulator.faults.remove(id);
  }

  clearFaults(): void {
    this.emulator.faults.clear();
  }

  /** Refuses connections until `goOnline`. */
  goOffline(): Promise<void> {
    return this.emulator.goOffline();
  }

  goOnline(): Promise<void> {
    return this.emulator.goOnline();
  }

  /** `n` of the newest request so far: wait for what comes `after` it. */
  get cursor(): number {
    return this.emulator.requestLog.cursor;
  }

  requests(filter: RequestFilter = {}): RequestEntry[] {
    return this.emulator.requestLog.find(filter);
  }

  /** Resolves to the first request that matches, past or to come. @throws WaitTimeoutError */
  async waitForRequest(
    filter: RequestFilter,
    { timeoutMs = patienceMs, where }: { timeoutMs?: number; where?: (entry: RequestEntry) => boolean } = {},
  ): Promise<RequestEntry> {
    const entry = await waitFor(
      this.emulator.requestLog,
      () => this.requests(filter).find((candidate) => where?.(candidate) ?? true),
      { timeoutMs },
    );
    if (entry) return entry;
    throw new WaitTimeoutError("no such request", { context: { filter, timeoutMs } });
  }

  /** Resolves once that many requests match. @throws WaitTimeoutError */
  async waitForRequests(
    filter: RequestFilter,
    count: number,
    timeoutMs = patienceMs,
  ): Promise<RequestEntry[]> {
    const entries = await waitFor(
      this.emulator.requestLog,
      () => {
        const found = this.requests(filter);
        return found.length >= count ? found : undefined;
      },
      { timeoutMs },
    );
    if (entries) return entries;
    throw new WaitTimeoutError("not that many requests", { context: { filter, count, timeoutMs } });
  }

  /** Resolves when a request that matches is under way, such as a long poll. @throws WaitTimeoutError */
  async waitForOpenRequest(
    filter: Pick<RequestFilter, "procedure" | "device" | "path">,
    timeoutMs = patienceMs,
  ): Promise<OpenEntry> {
    const { requestLog } = this.emulator;
    const matches = (entry: OpenEntry) =>
      (filter.procedure === undefined || filter.procedure === entry.procedure) &&
      (filter.device === undefined || filter.device === entry.device) &&
      (filter.path === undefined || entry.path.includes(filter.path));
    const entry = await waitFor(requestLog, () => requestLog.open().find(matches), { timeoutMs });
    if (entry) return entry;
    throw new WaitTimeoutError("no such request under way", { context: { filter, timeoutMs } });
  }

  /** A call of the management side with the owner's token; rejects on a status that is not accepted. */
  owner(method: string, path: string, access: OwnerAccess = {}): Promise<Response> {
    return ownerFetch(this, method, path, access);
  }

  async close(): Promise<void> {
    await this.emulator.close();
    if (!this.#ownsDirectory) return;
    await rm(this.dataDirectory, { recursive: true, force: true });
    await dropTestDatabase(this.dataDirectory);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
