import { setTimeout as delay } from "node:timers/promises";
import { DeviceClient } from "../../src/device-client/index.ts";
import { EmulatedDevice, type EmulatorAddress, ownerFetch } from "./emulated-device.ts";

/** A gateway made of the real device client: waits for commands by long polls, takes each, and says that it succeeded. */
export class PollingGateway {
  readonly sn: string;
  /** Ids of the commands that it was given. */
  readonly commands: string[] = [];
  /** Values of its alias `count` that were answered. */
  readonly acknowledged: number[] = [];
  readonly #client: DeviceClient;
  readonly #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  private constructor(sn: string, client: DeviceClient) {
    this.sn = sn;
    this.#client = client;
  }

  /** Adds a serial and activates it. */
  static async activate(
    address: EmulatorAddress,
    product: string,
    sn: string,
  ): Promise<{ readonly cik: string }> {
    const path = `/provision/manage/model/${product}/`;
    await ownerFetch(address, "POST", path, { form: { sn }, accept: [205, 409] });
    const device = new EmulatedDevice(address, product, sn);
    await device.enable();
    return { cik: await device.activate() };
  }

  static async start(address: EmulatorAddress, product: string, sn: string): Promise<PollingGateway> {
    const { cik } = await PollingGateway.activate(address, product, sn);
    const client = new DeviceClient({
      baseUrl: address.url,
      cik,
      vendor: product,
      model: product,
      proxyEnvironment: {},
    });
    const gateway = new PollingGateway(sn, client);
    await client.write({ engine_report: JSON.stringify({ apps: [] }) });
    gateway.#running = Promise.all([gateway.#obey(), gateway.#count()]);
    return gateway;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#client.close();
  }

  /** Long poll, take, answer; each tried again until it is acknowledged, as the engine does. */
  async #obey(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const text = await this.#again(() => this.#nextCommand());
      if (text === undefined || text === "") continue;
      const { id } = JSON.parse(text) as { id: string };
      this.commands.push(id);
      await this.#again(() => this.#client.write({ engine_fetch: "" }));
      const app = {
        name: "meter",
        version: "1",
        status: "restarted",
        exit_code: 0,
        output: "",
        output_cut: 0,
      };
      const answer = { id, apps: [{ ...app, started: null, finished: null }] };
      await this.#again(() => this.#client.write({ fetch_status: JSON.stringify(answer) }));
    }
  }

  async #nextCommand(): Promise<string> {
    const waiting = (await this.#client.read(["engine_fetch"])).values.get("engine_fetch") ?? "";
    if (waiting !== "") return waiting;
    const { signal } = this.#stop;
    const answer = await this.#client.longPoll("engine_fetch", { timeoutMs: 30_000, signal });
    return answer.changed ? answer.value : "";
  }

  /** Writes 0, 1, 2, …, each until it is acknowledged. */
  async #count(): Promise<void> {
    for (let n = 0; !this.#stop.signal.aborted; n++) {
      const value = n;
      const isWritten = await this.#again(async () => {
        await this.#client.write({ count: String(value) });
        return true;
      });
      if (isWritten) this.acknowledged.push(value);
      await delay(50, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  async #again<T>(work: () => Promise<T>): Promise<T | undefined> {
    while (!this.#stop.signal.aborted) {
      try {
        return await work();
      } catch {
        // A server that is killed ends its connections: the next one goes to another.
        await delay(20);
      }
    }
    return undefined;
  }
}
