import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EmulatedDevice } from "../../support/emulated-device.ts";
import { eventually } from "../../support/eventually.ts";
import { bundleProgram } from "../../support/program-bundle.ts";

const main = bundleProgram("src/emulator/main.ts");
const product = "p";
const count = 12;

let directory: string;
let child: ChildProcess | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "rollout-restart-"));
});
afterEach(async () => {
  if (child && child.exitCode === null && child.signalCode === null) await killed(child);
  await rm(directory, { recursive: true, force: true });
});

interface Ready {
  readonly url: string;
  readonly token: string;
  readonly cik: string;
}

async function start(port: number): Promise<Ready> {
  const args = ["--port", String(port), "--data", directory, "--open-activation", "--product", product];
  child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout ?? process.stdin })) return JSON.parse(line);
  return expect.unreachable("the emulator ended without a ready line");
}

async function killed(running: ChildProcess): Promise<void> {
  const ended = once(running, "exit");
  running.kill("SIGKILL");
  await ended;
}

/** A gateway that checks in over and over, whatever the server does, until it is told to stop. */
class PersistentGateway {
  readonly #url: string;
  readonly #cik: string;

  private constructor(url: string, cik: string) {
    this.#url = url;
    this.#cik = cik;
  }

  static async activate(url: string, sn: string): Promise<PersistentGateway> {
    const body = new URLSearchParams({ vendor: product, model: product, sn });
    const response = await fetch(`${url}/provision/activate`, { method: "POST", body });
    return new PersistentGateway(url, await response.text());
  }

  async run(stop: AbortSignal, onDone: () => void): Promise<void> {
    while (!stop.aborted) {
      try {
        const text = await this.#checkIn({ engine_report: '{"apps":[]}' });
        const command = new URLSearchParams(text).get("engine_fetch") ?? "";
        if (command !== "") {
          await this.#checkIn({ engine_fetch: "" });
          const { id } = JSON.parse(command) as { id: string };
          const app = { name: "meter", version: "2", status: "restarted" };
          await this.#checkIn({ fetch_status: JSON.stringify({ id, apps: [app] }) });
          onDone();
        }
      } catch (error) {
        // The server is away: as real gateways do, again in a moment.
        if (!(error instanceof TypeError)) throw error;
      }
      await delay(20);
    }
  }

  async #checkIn(values: Readonly<Record<string, string>>): Promise<string> {
    for (;;) {
      try {
        const response = await fetch(`${this.#url}/onep:v1/stack/alias?engine_fetch`, {
          method: "POST",
          headers: { "X-Exosite-CIK": this.#cik },
          body: new URLSearchParams(values),
        });
        if (response.ok) return await response.text();
      } catch (error) {
        // What Node's fetch throws where nobody answers.
        if (!(error instanceof TypeError)) throw error;
      }
      await delay(20);
    }
  }
}

test("killed in the middle of waves, again and again, it sends each gateway the command once and completes", async () => {
  let server = await start(0);
  const port = Number(new URL(server.url).port);
  const sns = Array.from({ length: count }, (_, index) => `S${index}`);
  const gateways = await Promise.all(sns.map((sn) => PersistentGateway.activate(server.url, sn)));
  const ask = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${server.url}/console/api/rollouts${path}`, {
      method,
      headers: { "X-Exosite-Token": server.token },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return ((await response.json()) as { rollout: { id: string; state: string; counts: unknown } }).rollout;
  };
  const { id } = await ask("POST", "", {
    name: "restart",
    filter: "",
    command: { restart: ["meter"] },
    waves: ["2", "6", "100%"],
    soakS: 0,
  });
  const stop = new AbortController();
  let done = 0;
  const running = gateways.map((gateway) => gateway.run(stop.signal, () => (done += 1)));
  for (const killAt of [1, 4, 9]) {
    while (done < killAt) await delay(5);
    await killed(child as ChildProcess);
    server = await start(port);
  }
  const rollout = await eventually("the end of the roll-out", async () => {
    const now = await ask("GET", `/${id}`);
    return now.state !== "running" && now;
  });
  stop.abort();
  await Promise.all(running);
  expect(rollout).toMatchObject({ state: "completed", counts: { succeeded: count } });
  for (const sn of sns) {
    const history = await new EmulatedDevice(server, product, sn).history("engine_fetch");
    expect(history.filter(([, value]) => value !== "")).toHaveLength(1);
  }
});
