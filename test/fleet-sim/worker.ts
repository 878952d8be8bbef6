/** A process full of simulated gateways: `node worker.ts <WorkerOrder as JSON>`; says when it is ready, starts when told to, and tells its parent of every second. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Audit } from "../../src/device-client/index.ts";
import { seededRandom } from "../../src/emulator/faults/seeded-random.ts";
import { systemClock } from "../../src/platform/system-clock.ts";
import { SimulatedGateway } from "./gateway.ts";
import { serialOf, type WorkerOrder, type WorkerSecond } from "./worker-protocol.ts";

const order = JSON.parse(process.argv[2] ?? "") as WorkerOrder;
const state = { isStopped: false };

let checkIns: number[] = [];
let requests = 0;
let errors: Record<string, number> = {};

const audit: Audit = ({ procedure, status, durationMs }) => {
  if (state.isStopped) return;
  requests += 1;
  const isGood = status !== undefined && status < 400;
  if (procedure === "writeRead" && isGood) checkIns.push(Math.round(durationMs * 10) / 10);
  if (!isGood) {
    const what = `${procedure} ${status ?? "no answer"}`;
    errors[what] = (errors[what] ?? 0) + 1;
  }
};

function privateBytes(): number {
  const rollup = readFileSync("/proc/self/smaps_rollup", "latin1");
  return Number(/^Private_Dirty:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) * 1024;
}

const random = seededRandom(order.seed + order.first);
const gateways = Array.from(
  { length: order.count },
  (_, index) =>
    new SimulatedGateway({
      ...order,
      sn: serialOf(order.first + index),
      clock: systemClock,
      random,
      audit,
    }),
);
function stop(): void {
  state.isStopped = true;
  for (const gateway of gateways) gateway.stop();
}
process.on("disconnect", stop);
process.on("SIGTERM", stop);
process.on("SIGINT", () => undefined);
process.send?.("ready");
await once(process, "message");
const running = gateways.map((gateway) => gateway.run(random() * order.spreadMs));

const telling = setInterval(() => {
  const second: WorkerSecond = { checkIns, requests, errors, privateBytes: privateBytes() };
  checkIns = [];
  requests = 0;
  errors = {};
  process.send?.(second);
}, 1_000);

await Promise.all(running);
clearInterval(telling);
process.exit(0);
