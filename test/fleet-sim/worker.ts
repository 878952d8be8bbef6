/** A process full of simulated gateways: `node worker.ts <WorkerOrder as JSON>`; says when it is ready, starts when told to, and tells its parent of every second. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Audit } from "../../src/device-client/index.ts";
import { seededRandom } from "../../src/emulator/faults/seeded-random.ts";
import { systemClock } from "../../src/platform/system-clock.ts";
import { SimulatedGateway } from "./gateway.ts";
import { errorName, type ObservedCall } from "./link.ts";
import { serialOf, type WorkerOrder, type WorkerSecond } from "./worker-protocol.ts";

const order = JSON.parse(process.argv[2] ?? "") as WorkerOrder;
const state = { isStopped: false };

/** The second that passes. */
const empty = () => ({
  checkIns: [] as number[],
  requests: 0,
  stale: 0,
  errors: {} as Record<string, number>,
});
let second = empty();

const audit: Audit = ({ status, reusedConnection }) => {
  second.requests += 1;
  if (status === undefined && reusedConnection) second.stale += 1;
};

function observe({ procedure, durationMs, error }: ObservedCall): void {
  if (state.isStopped) return;
  if (error !== undefined) {
    const name = errorName(procedure, error);
    second.errors[name] = (second.errors[name] ?? 0) + 1;
    return;
  }
  if (procedure === "writeRead") second.checkIns.push(Math.round(durationMs * 10) / 10);
}

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
      observe,
      longPoll: random() < order.longPoll,
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

const late = monitorEventLoopDelay({ resolution: 10 });
late.enable();
const telling = setInterval(() => {
  const told: WorkerSecond = {
    ...second,
    lateMs: Math.max(0, late.max / 1e6 - 10),
    activated: gateways.filter(({ isActivated }) => isActivated).length,
    privateBytes: privateBytes(),
  };
  second = empty();
  late.reset();
  process.send?.(told);
}, 1_000);

await Promise.all(running);
clearInterval(telling);
process.exit(0);
