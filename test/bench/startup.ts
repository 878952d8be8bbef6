import { spawn } from "node:child_process";
import { join } from "node:path";
import { startTestEmulator } from "../support/emulator.ts";
import { EngineProcess, eventually } from "../support/engine-process.ts";
import { atMost, type Figure, medianInTurns, plain } from "./figures.ts";

const gwe = join(import.meta.dirname, "../../bin/gwe");
const gdc = join(import.meta.dirname, "../../bin/gdc");
const rounds = 15;

/** How long commands and the engine take to start, beside `node -e 0` of the same Node. */
export async function benchStartup(): Promise<readonly Figure[]> {
  await using emulator = await startTestEmulator();
  await emulator.addSerial("bench", "start-1");
  await using engine = new EngineProcess({ serverUrl: emulator.url, product: "bench", serial: "start-1" });
  // The first start activates, and leaves pm2's daemon running for the others.
  engine.start();
  await eventually(
    "the first check-in",
    async () => (await engine.status())?.checkIn.lastSuccessAtMs ?? undefined,
  );
  await engine.end("SIGTERM");

  const { cik } = await emulator.addActivated("bench", "start-2");
  const write = ["write", "--url", emulator.url, cik, "alias", "value"];
  const medians = await medianInTurns(rounds, {
    node: () => runTime(process.execPath, ["-e", "0"], engine.environment),
    gatewayCik: () => runTime(gwe, ["--gateway-cik"], engine.environment),
    gdcWrite: () => runTime(gdc, write, engine.environment),
    firstCheckIn: async () => {
      const { cursor } = emulator;
      const started = performance.now();
      engine.start();
      await emulator.waitForRequest({ after: cursor, device: "start-1", procedure: "write-read" });
      const elapsed = performance.now() - started;
      await engine.end("SIGTERM");
      return elapsed;
    },
  });
  return [
    plain("node -e 0", `${medians.node.toFixed(1)} ms`),
    atMost("start to first completed check-in ÷ node -e 0", medians.firstCheckIn / medians.node, 10, "times"),
    atMost("gwe --gateway-cik ÷ node -e 0", medians.gatewayCik / medians.node, 1.5, "times"),
    atMost("gdc write ÷ node -e 0", medians.gdcWrite / medians.node, 3.5, "times"),
  ];
}

function runTime(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { env, stdio: "ignore" });
    child.once("error", reject);
    child.once("exit", () => resolve(performance.now() - started));
  });
}
