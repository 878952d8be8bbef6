import { ControlClient } from "../../src/cli/control-client.ts";
import { type EmulatedDevice, startTestEmulator, type TestEmulator } from "./emulator.ts";
import { EngineProcess, eventually } from "./engine-process.ts";
import { packageTarball } from "./package-tarball.ts";
import { WireTap } from "./wire-tap.ts";

const product = "idle";
const serial = "GW-IDLE-1";

/** An engine that has nothing to do, with apps that have nothing to do, and a tap on its wire to Murano. */
export class IdleGateway implements AsyncDisposable {
  readonly murano: TestEmulator;
  readonly device: EmulatedDevice;
  readonly tap: WireTap;
  readonly engine: EngineProcess;

  private constructor(murano: TestEmulator, device: EmulatedDevice, tap: WireTap, engine: EngineProcess) {
    this.murano = murano;
    this.device = device;
    this.tap = tap;
    this.engine = engine;
  }

  /** Its apps run, and the result of their installation is told. */
  static async running(apps: readonly string[], intervalS: number): Promise<IdleGateway> {
    const murano = await startTestEmulator();
    const device = await murano.addSerial(product, serial);
    const tap = await WireTap.before(murano.url);
    const engine = new EngineProcess({
      serverUrl: tap.url,
      product,
      serial,
      engineConfig: [`update_interval = ${intervalS}`],
    });
    const gateway = new IdleGateway(murano, device, tap, engine);
    try {
      await gateway.bring(apps);
      return gateway;
    } catch (error) {
      await gateway[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** One check-in more, answered in full. */
  async checkIn(): Promise<void> {
    const after = this.murano.cursor;
    const before = (await this.engine.status())?.checkIn.lastSuccessAtMs;
    await new ControlClient({ socketPath: this.engine.paths.controlSocket }).checkIn();
    await this.murano.waitForRequest({ procedure: "write-read", after });
    await eventually(
      "the answer",
      async () => (await this.engine.status())?.checkIn.lastSuccessAtMs !== before,
    );
  }

  /** As it is for most of a gateway's life: started anew since the last installation, and checked in. */
  async restart(): Promise<void> {
    await this.engine.end("SIGTERM");
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine[Symbol.asyncDispose]();
    await this.tap[Symbol.asyncDispose]();
    await this.murano.close();
  }

  private async start(): Promise<void> {
    const { engine } = this;
    engine.start();
    await eventually("a check-in", async () => (await engine.status())?.checkIn.lastSuccessAtMs ?? undefined);
  }

  private async bring(apps: readonly string[]): Promise<void> {
    const { murano, device, engine } = this;
    for (const app of apps) await murano.addContent(product, `${app}.v1.0.0.tar.gz`, await idleApp());
    if (apps.length === 0) return this.start();
    const install = apps.map((app) => ({ name: `${app}.v1.0.0.tar.gz` }));
    await device.write("engine_fetch", JSON.stringify({ install }));
    engine.start();
    for (const app of apps) await engine.running(app);
    await eventually("the result told", async () => (await device.latest("fetch_status")) !== undefined);
  }
}

/** A package of an app that sleeps. */
export function idleApp(): Promise<Uint8Array<ArrayBuffer>> {
  return packageTarball({
    "install.sh": { content: "#!/bin/sh\nexit 0\n", mode: 0o755 },
    "supervisor.conf": { content: "[supervisord]\ncommand = sleep 100000\n" },
  });
}
