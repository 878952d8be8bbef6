/**
 * `npm run test:chaos -- [--rounds N] [--seed S]`: kills the engine, pm2's daemon, launchers and apps at random, one or
 * several at once. After each round, within 10 s, every wanted app runs exactly once and no other does; at no time
 * were there two of one.
 */

import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { seededRandom } from "../../src/emulator/faults/seeded-random.ts";
import { eventually } from "../support/engine-process.ts";
import { Scene } from "./scene.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "20" }, seed: { type: "string" } },
});
const rounds = Number(values.rounds);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const random = seededRandom(seed);
const allowedMs = 10_000;
/** All is well when it has been for so long. */
const steadyMs = 1_000;

interface Blow {
  readonly what: string;
  readonly strike: (scene: Scene) => void;
}

function one<T>(choices: readonly T[]): T {
  return choices[Math.floor(random() * choices.length)] as T;
}

function kill(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended by itself in the meantime: a blow into the air.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function someBlow(scene: Scene): Blow {
  const name = one(scene.keys);
  return one<Blow>([
    { what: "engine KILL", strike: ({ engine }) => kill(engine.pid, "SIGKILL") },
    { what: "engine TERM", strike: ({ engine }) => kill(engine.pid, "SIGTERM") },
    { what: "pm2 KILL", strike: ({ engine }) => kill(engine.pm2Pid(), "SIGKILL") },
    { what: "pm2 TERM", strike: ({ engine }) => kill(engine.pm2Pid(), "SIGTERM") },
    { what: "pm2 STOP", strike: ({ engine }) => kill(engine.pm2Pid(), "SIGSTOP") },
    { what: "log daemon KILL", strike: () => kill(scene.logDaemon(), "SIGKILL") },
    { what: `launcher of ${name} KILL`, strike: () => kill(scene.launcher(name), "SIGKILL") },
    { what: `launcher of ${name} TERM`, strike: () => kill(scene.launcher(name), "SIGTERM") },
    { what: `${name} KILL`, strike: () => kill(scene.child(name), "SIGKILL") },
    { what: `${name} SEGV`, strike: () => kill(scene.child(name), "SIGSEGV") },
    { what: `${name} TERM`, strike: () => kill(scene.child(name), "SIGTERM") },
    {
      what: "all launchers KILL",
      strike: () => {
        for (const each of scene.keys) kill(scene.launcher(each), "SIGKILL");
      },
    },
  ]);
}

/** @returns how long it took until all was as wanted. @throws when it took too long */
async function round(scene: Scene): Promise<{ readonly what: string; readonly tookMs: number }> {
  const said: string[] = [];
  if (random() < 0.3) {
    const name = one(scene.names);
    const change = scene.stopped.has(name) ? "start" : "stop";
    await eventually("the engine", () => scene.engine.status());
    await scene.want(name, change);
    said.push(`${change} ${name}`);
  }
  const blows = Array.from({ length: 1 + Math.floor(random() * 3) }, () => someBlow(scene));
  for (const { what, strike } of blows) {
    said.push(what);
    strike(scene);
    // Half of them at once, the others while what the last one broke is being mended.
    if (random() < 0.5) await delay(random() * 600);
  }
  const what = said.join(", ");
  const struckAt = performance.now();
  if (!scene.engine.isRunning || blows.some((blow) => blow.what.startsWith("engine"))) {
    await scene.engine.exit();
    scene.engine.start();
  }
  return { what, tookMs: await settled(scene, what, struckAt) };
}

/** @returns when, after the blow, all became as wanted and stayed so */
async function settled(scene: Scene, what: string, struckAt: number): Promise<number> {
  let since: number | undefined;
  for (;;) {
    const now = performance.now();
    const complaint = scene.complaint();
    if (complaint === undefined) since ??= now;
    else since = undefined;
    // What has been struck may fall only a moment later.
    if (since !== undefined && now - since >= steadyMs) return since - struckAt;
    if (complaint?.startsWith("two") || now - struckAt > allowedMs + steadyMs) {
      throw new Error(`after ${what}: ${complaint ?? "no rest"}\n${scene.evidence()}`);
    }
    await delay(50);
  }
}

console.log(`chaos: ${rounds} rounds, seed ${seed}`);
await using scene = new Scene();
await scene.start();
const took: number[] = [];
for (let number = 1; number <= rounds; number++) {
  try {
    const { what, tookMs } = await round(scene);
    took.push(tookMs);
    console.log(`${String(number).padStart(4)}  ${(tookMs / 1000).toFixed(1).padStart(5)} s  ${what}`);
  } catch (error) {
    console.error(`round ${number} of seed ${seed}: ${(error as Error).message}`);
    process.exitCode = 1;
    break;
  }
}
const sorted = took.toSorted((a, b) => a - b);
const at = (part: number): string =>
  ((sorted[Math.floor((sorted.length - 1) * part)] ?? 0) / 1000).toFixed(1);
console.log(
  `${took.length} of ${rounds} rounds passed; recovered after ${at(0.5)} s (median), ${at(1)} s (worst)`,
);
