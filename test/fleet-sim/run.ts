/**
 * `npm run fleet-sim -- --gateways N [--exit]`: simulated gateways, made of the real check-in loop and device client, against
 * an emulator; docs/performance.md tells what it shows. With `--exit` it ends with 1 where a demand is not met.
 */
import { cpus, loadavg } from "node:os";
import { PostgresCluster } from "../support/postgres-cluster.ts";
import { counts, options, outage, rollOut, type Spent, steady } from "./phases.ts";
import { Scene } from "./scene.ts";
import { type Summary, summarise } from "./timeline.ts";

const given = options();
const { gateways, intervalS, phases } = given;
const figures: Record<string, unknown> = { gateways, intervalS };
const failed: string[] = [];

function say(text: string): void {
  if (!given.json) console.log(text);
}

function demand(what: string, isMet: boolean): void {
  if (isMet) return;
  failed.push(what);
  say(`NOT MET: ${what}`);
}

function describe(summary: Summary): string {
  const { checkIns, checkInsPerSecond, requestsPerSecond, p50Ms, p95Ms, p99Ms, worstMs, errors } = summary;
  const { stale, lateMs } = summary;
  return (
    `${checkIns} check-ins, ${checkInsPerSecond.toFixed(0)}/s of ${requestsPerSecond.toFixed(0)} requests/s; ` +
    `p50 ${p50Ms.toFixed(1)} ms, p95 ${p95Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, worst ${worstMs.toFixed(0)} ms; ` +
    `errors: ${counts(errors)}; ${stale} dead connections replaced; the simulation itself late by at most ${lateMs.toFixed(0)} ms`
  );
}

function describeSpent(spent: Spent): string {
  return (
    `emulator: ${spent.emulatorCpuPercent.toFixed(0)} % of a core, ${spent.cpuMsPerCheckIn.toFixed(2)} ms a check-in, ` +
    `${spent.emulatorMb.toFixed(0)} MB resident (peak ${spent.emulatorPeakMb.toFixed(0)} MB), ${spent.diskMb.toFixed(0)} MB on disk`
  );
}

/** Speed and memory are demanded of this many; small runs must pass on any machine. */
const isFullSize = gateways >= 10_000;
const isFaultless = given.cutOff === 0;
Scene.checkLimits(given);
// With "postgres": a cluster of its own, whose commits reach the disk.
await using cluster =
  given.database === "postgres" ? await PostgresCluster.start({ fsync: true }) : undefined;
await using scene = await Scene.start({
  ...given,
  database: cluster?.url("postgres") ?? given.database,
  databaseDirectory: cluster?.dataDirectory,
});
const stopped = new Promise<void>((resolve) => {
  process.once("SIGINT", () => resolve());
  process.once("SIGTERM", () => resolve());
});

async function runPhases(): Promise<void> {
  let startedMs = performance.now();
  await scene.provision();
  say(`${gateways} serials added and enabled in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  const [load = 0] = loadavg();
  say(`load of the machine before the gateways start: ${load.toFixed(1)} on ${cpus().length} cores`);

  startedMs = performance.now();
  await scene.startGateways(intervalS * 1000);
  const first = await scene.pass(intervalS);
  const start = summarise(scene.timeline.since(first));
  figures.start = start;
  say(`start, spread over ${intervalS} s: ${describe(start)}`);
  if (isFaultless) demand("no error while the gateways start", Object.keys(start.errors).length === 0);

  if (phases.includes("steady")) {
    const found = await steady(scene, gateways, intervalS);
    figures.steady = found;
    say(`steady, ${intervalS} s: ${describe(found)}`);
    say(
      `  ${found.activated} activated; ${describeSpent(found)}; ${found.gatewayKb.toFixed(1)} kB of the simulation a gateway`,
    );
    if (isFaultless) {
      demand("all gateways are activated", found.activated === gateways);
      demand("all gateways check in within an interval", found.checkIns >= gateways * 0.99);
      demand("no error", Object.keys(found.errors).length === 0);
    }
    if (isFullSize) demand("p99 under 500 ms", found.p99Ms < 500);
  }
  if (phases.includes("rollout")) {
    const found = await rollOut(scene, { ...given, limitS: intervalS * 20 + 600 });
    figures.rollout = found;
    say(
      `roll-out in waves of ${given.waves.join(", ")}: ${found.state} after ${found.tookS.toFixed(0)} s; ${counts(found.counts)}`,
    );
    say(`  meanwhile: ${describe(found)}`);
    say(`  ${describeSpent(found)}`);
    demand("the roll-out completes", found.state === "completed");
    if (isFaultless) demand("no error meanwhile", Object.keys(found.errors).length === 0);
    if (isFaultless && given.failing === 0)
      demand("it succeeds everywhere", found.counts.succeeded === gateways);
  }
  if (phases.includes("outage")) {
    const found = await outage(scene, given);
    figures.outage = found;
    say(`outage of ${found.awayS} s; check-ins a second after the return:\n${found.curve}`);
    say(
      `  ${found.before.toFixed(0)}/s before, at most ${found.peak} in one second after; ` +
        `99 % are back after ${found.backS} s; p99 ${found.after.p99Ms.toFixed(0)} ms`,
    );
    demand(
      "no thundering herd: at most 5 times the usual rate in any second",
      found.peak <= Math.max(20, found.before * 5),
    );
  }
}

const isComplete = await Promise.race([runPhases().then(() => true), stopped.then(() => false)]);
if (isComplete) {
  if (isFullSize) demand("the emulator stays under 500 MB", scene.emulatorUse().peakMb < 500);
  say(failed.length === 0 ? "all demands met" : `${failed.length} demands not met: ${failed.join("; ")}`);
}
if (isComplete && !given.exit) {
  say("running on until Ctrl-C");
  for (let isOver = false; !isOver; ) {
    isOver = await Promise.race([stopped.then(() => true), scene.pass(10).then(() => false)]);
    if (!isOver) say(describe(summarise(scene.timeline.since(scene.timeline.now() - 10))));
  }
}
if (given.json) console.log(JSON.stringify({ ...figures, failed }));
if (failed.length > 0) process.exitCode = 1;
