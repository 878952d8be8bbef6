/** Real engines, killed with SIGKILL at random moments while they accept and upload. */
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../src/core/clock.ts";
import type { TestEmulator } from "../support/emulator.ts";
import { EngineProcess, eventually } from "../support/engine-process.ts";
import { Ledger, type Verdict } from "./ledger.ts";

const product = "kill-test";
const serial = "app";
const alias = "history";
/** A second each, so that none is moved. */
const pointsPerRequest = 50;

export interface KillsOptions {
  readonly emulator: TestEmulator;
  readonly kills: number;
  readonly random: Random;
}

/** Writes into the queue all the time; what was answered 204 is noted as acknowledged. */
class Writer {
  readonly ledger = new Ledger();
  private readonly engine: EngineProcess;
  private second = 1_700_000_000;
  private isStopped = false;

  constructor(engine: EngineProcess) {
    this.engine = engine;
  }

  stop(): void {
    this.isStopped = true;
  }

  async run(): Promise<void> {
    while (!this.isStopped) {
      const points = Array.from({ length: pointsPerRequest }, (_, index) => {
        const at = this.second + index;
        return { timeMs: at * 1000, value: `value ${at}` };
      });
      // What is not acknowledged is written again as other values: it may be there or not.
      const isSafe = await this.write(
        points.map(({ timeMs, value }) => [String(timeMs / 1000), value] as const),
      );
      this.second += pointsPerRequest;
      if (!isSafe) await delay(10);
      for (const point of points) {
        if (isSafe) this.ledger.note(serial, alias, point);
        else this.ledger.permit(serial, alias, point.value);
      }
    }
  }

  private async write(pairs: readonly (readonly [string, string])[]): Promise<boolean> {
    try {
      const port = readFileSync(this.engine.paths.queuePort, "utf8").trim();
      const response = await fetch(`http://127.0.0.1:${port}/onep:v1/stack/alias/${alias}`, {
        method: "POST",
        headers: { "X-Exosite-VMS": `${product} ${product} ${serial}` },
        body: new URLSearchParams(pairs.map(([at, value]): [string, string] => [at, value])),
      });
      return response.status === 204;
    } catch {
      return false; // The engine is away.
    }
  }
}

/** @returns what Murano holds at the end, against what was acknowledged */
export async function killWhileUploading({ emulator, kills, random }: KillsOptions): Promise<Verdict> {
  const device = await emulator.addSerial(product, serial);
  await emulator.addSerial(product, "gateway");
  await using engine = new EngineProcess({ serverUrl: emulator.url, product, serial: "gateway" });
  const writer = new Writer(engine);
  const writing = writer.run();
  try {
    for (let kill = 0; kill < kills; kill++) {
      const { cursor } = emulator;
      engine.start();
      // A moment is a number of uploads: on a slow machine it comes later, and is the same moment.
      const uploads = 1 + Math.floor(random() * 12);
      await emulator.waitForRequests({ after: cursor, procedure: "record", device: serial }, uploads, 30_000);
      await delay(Math.floor(random() * 20));
      await engine.end("SIGKILL");
    }
    writer.stop();
    await writing;
    engine.start();
    await eventually("everything to be uploaded", () => isEmpty(engine), 60_000);
  } finally {
    writer.stop();
    await writing;
  }
  return writer.ledger.check(() => device.history(alias, { limit: 1_000_000 }), new Set());
}

async function isEmpty(engine: EngineProcess): Promise<boolean> {
  try {
    const port = readFileSync(engine.paths.queuePort, "utf8").trim();
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    return /^gmq_entries 0$/m.test(metrics);
  } catch {
    return false; // It is not up yet.
  }
}
