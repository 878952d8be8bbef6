import { readFileSync } from "node:fs";
import { ControlClient } from "../../../src/cli/control-client.ts";
import type { FetchStatusApp, FetchStatusReport, OtaLimits } from "../../../src/ota/index.ts";
import type { EmulatedDevice } from "../../support/emulated-device.ts";
import { startTestEmulator, type TestEmulator } from "../../support/emulator.ts";
import { EngineProcess } from "../../support/engine-process.ts";
import { eventually, patienceMs } from "../../support/eventually.ts";
import { type PackageFile, packageTarball } from "../../support/package-tarball.ts";
import { type CommandResult, runCommand } from "../../support/run-command.ts";

export interface GatewayOptions {
  /** Further lines of `[engine]`. The log level is DEBUG and the interval a day unless said otherwise. */
  readonly engineConfig?: readonly string[];
  readonly deviceConfig?: readonly string[];
  readonly otaLimits?: Partial<OtaLimits>;
  /** Whether the owner has opened activation; true by default. */
  readonly enabled?: boolean;
}

/** What `engine_report` says of one app. */
export interface ReportedApp {
  readonly status: string;
  readonly version: string;
  readonly uptime: string;
  readonly exitstatus: number | null;
}

const product = "e2e-product";
const serial = "GW-0001";

/** A gateway as a product owner sees it: a real engine at one end, a local Murano at the other. */
export class Gateway implements AsyncDisposable {
  readonly murano: TestEmulator;
  readonly device: EmulatedDevice;
  readonly engine: EngineProcess;
  private ids = 0;

  private constructor(murano: TestEmulator, device: EmulatedDevice, engine: EngineProcess) {
    this.murano = murano;
    this.device = device;
    this.engine = engine;
  }

  /** The engine is not started yet. */
  static async create(options: GatewayOptions = {}): Promise<Gateway> {
    const murano = await startTestEmulator();
    const device = await murano.addSerial(product, serial, { enable: options.enabled ?? true });
    const engine = new EngineProcess({
      serverUrl: murano.url,
      product,
      serial,
      engineConfig: [
        "debug_level = DEBUG",
        "update_interval = 86400",
        "disk_reserve_mib = 1",
        ...(options.engineConfig ?? []),
      ],
      ...(options.deviceConfig && { deviceConfig: options.deviceConfig }),
      ...(options.otaLimits && { otaLimits: options.otaLimits }),
    });
    return new Gateway(murano, device, engine);
  }

  /** Starts the engine and waits for its first check-in. */
  static async running(options: GatewayOptions = {}): Promise<Gateway> {
    const gateway = await Gateway.create(options);
    try {
      await gateway.start();
      return gateway;
    } catch (error) {
      await gateway[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts the engine and waits until it has checked in. */
  async start(): Promise<void> {
    const after = this.murano.cursor;
    this.engine.start();
    await this.checkedIn(after);
  }

  /** Resolves when a check-in after that moment of the request log (`murano.cursor`) has succeeded. */
  async checkedIn(after: number): Promise<void> {
    await this.murano.waitForRequest(
      { procedure: "write-read", after },
      { where: ({ status }) => status === 200 || status === 204 },
    );
  }

  /** The CIK as the engine has it on disk. */
  get cik(): string {
    const cik = /^cik *= *(\w{40})$/m.exec(readFileSync(this.engine.paths.gatewayCfg, "utf8"))?.[1];
    if (cik === undefined) throw new TypeError("the gateway has no CIK yet");
    return cik;
  }

  /** One of the commands in `bin/`, as a person at the gateway would call it. */
  command(name: "gwe" | "gdc", ...args: readonly string[]): Promise<CommandResult> {
    return runCommand(name, args, { home: this.engine.home });
  }

  gwe(...args: readonly string[]): Promise<CommandResult> {
    return this.command("gwe", ...args);
  }

  /** As `gwe check-in` does: the engine does not wait for its interval, nor out a backoff. */
  async checkIn(): Promise<void> {
    await new ControlClient({ socketPath: this.engine.paths.controlSocket }).checkIn();
  }

  /** Puts a package into the content area. */
  async upload(id: string, content: Readonly<Record<string, PackageFile>> | Uint8Array): Promise<void> {
    const blob = content instanceof Uint8Array ? new Uint8Array(content) : await packageTarball(content);
    await this.murano.addContent(product, id, blob);
  }

  /** Writes `engine_fetch` as it is. */
  write(text: string): Promise<void> {
    return this.device.write("engine_fetch", text);
  }

  /** Orders packages; resolves to the command's id, without waiting for anything. */
  async order(...names: readonly string[]): Promise<string> {
    this.ids += 1;
    const id = `order-${this.ids}`;
    await this.write(JSON.stringify({ id, install: names.map((name) => ({ name })) }));
    return id;
  }

  /** Every `fetch_status` that Murano has received, oldest first. */
  async results(): Promise<readonly FetchStatusReport[]> {
    const values = await this.device.history("fetch_status");
    return values.map(([, value]) => JSON.parse(value) as FetchStatusReport);
  }

  /** What Murano was told of a command. */
  result(id: string, deadlineMs = patienceMs): Promise<FetchStatusReport> {
    let seen: number | undefined;
    return eventually(
      `the result of ${id}`,
      async () => {
        const newest = this.murano.requests({ wrote: "fetch_status" }).at(-1)?.n;
        if (newest === seen) return undefined;
        seen = newest;
        return (await this.results()).find((report) => report.id === id);
      },
      deadlineMs,
    );
  }

  /** Orders packages, has the engine check in, and resolves to what Murano was told of each. */
  async install(...names: readonly string[]): Promise<readonly FetchStatusApp[]> {
    const id = await this.order(...names);
    await this.checkIn();
    return (await this.result(id)).apps;
  }

  /** What the newest `engine_report` says of an app. */
  async reported(app: string): Promise<ReportedApp | undefined> {
    const text = await this.device.latest("engine_report");
    if (text === undefined) return undefined;
    const { apps } = JSON.parse(text) as { apps: Record<string, ReportedApp>[] };
    return apps.find((entry) => app in entry)?.[app];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.engine[Symbol.asyncDispose]();
    } finally {
      await this.murano.close();
    }
  }
}
