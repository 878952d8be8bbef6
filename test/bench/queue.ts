/**
 * The queue of a whole engine (`bin/gwe`), each figure a ratio to something that was measured beside it, in turns.
 * Needs `taskset`, `wrk`, `redis-server` and `redis-benchmark`; build first.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestEmulator } from "../support/emulator.ts";
import { EngineProcess, eventually } from "../support/engine-process.ts";
import {
  atLeast,
  atMost,
  type Figure,
  median,
  medianInTurns,
  medianRatio,
  plain,
  samplesInTurns,
} from "./figures.ts";
import type { Tail } from "./percentile.ts";
import {
  type Body,
  childFile,
  fdatasyncTail,
  freePort,
  load,
  loneWrites,
  pinToServerCore,
  pointsPerRecord,
  redisRate,
  runChild,
} from "./queue-load.ts";

const bareFile = join(import.meta.dirname, "bare-server.ts");
const seconds = 2;
const rounds = 9;
const connections = 64;
const backlog = 5_000_000;
const prefilledAliases = ["engine_report", "device_info", "usage_report", "fetch_status"];

export async function benchQueue(): Promise<readonly Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), "bench-queue-"));
  try {
    const sides = await compareSides(directory);
    return [...sides, ...(await backlogFigures(directory)), ...(await drainFigures(directory))];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** One engine, and what it is compared with: a second engine beside it would take turns with it on its core. */
async function compareSides(directory: string): Promise<readonly Figure[]> {
  await using empty = await startEngine(0);
  const bare = await startServer([bareFile]);
  const alone = await startServer([childFile, "commit-per-request", subdirectory(directory, "alone")]);
  const watch = watchMemory(empty.engine.pid ?? 0);
  try {
    const rate = (port: number, kind: Body): Promise<number> => rateOf(directory, port, kind);
    // What was compiled while it was being measured would count against those who come first.
    for (const { port } of [bare, empty, alone]) await rate(port, "write");
    await rate(empty.port, "record");
    // Those that are divided by one another follow one another.
    const samples = await samplesInTurns(rounds, {
      alone: () => rate(alone.port, "write"),
      write: () => rate(empty.port, "write"),
      bare: () => rate(bare.port, "write"),
      redis: () => redisRate(subdirectory(directory, "redis", true), seconds),
      record: () => rate(empty.port, "record"),
      raw: async () => Number(await runChild([childFile, "raw", subdirectory(directory, "raw", true)])),
    });
    const lone = await tails(directory, empty.port);
    const ratio = (one: keyof typeof samples, other: keyof typeof samples): number =>
      medianRatio(samples[one], samples[other]);
    return [
      plain("durable acknowledged writes at 64 connections", `${median(samples.write).toFixed(0)} a second`),
      atLeast("the same ÷ bare node:http", ratio("write", "bare"), 0.55, "times"),
      atLeast("the same ÷ commit per request", ratio("write", "alone"), 6, "times"),
      plain("points by record of 100", `${(median(samples.record) * pointsPerRecord).toFixed(0)} a second`),
      atLeast(
        "the same ÷ raw inserts, 100 a transaction",
        ratio("record", "raw") * pointsPerRecord,
        0.4,
        "times",
      ),
      atMost("p99 of a write at 1 connection ÷ fdatasync", lone.ratio, 5, "times"),
      plain("p99 of fdatasync", `${lone.fdatasyncMs.toFixed(3)} ms`),
      plain("the same ratio, both at an even pace", `${lone.evenPaceRatio.toFixed(2)} times`),
      plain("Redis, LPUSH with appendfsync always", `${median(samples.redis).toFixed(0)} a second`),
      atLeast("writes ÷ Redis", ratio("write", "redis"), 0.4, "times"),
      atLeast("points by record of 100 ÷ Redis", ratio("record", "redis") * pointsPerRecord, 2, "times"),
      atMost("private memory of the engine under load", watch.maximumMb(), 80, "MB"),
    ];
  } finally {
    watch.stop();
    await bare.stop();
    await alone.stop();
  }
}

async function rateOf(directory: string, port: number, kind: Body): Promise<number> {
  return load({ directory, port, kind, connections, seconds });
}

/** Two engines, one of them with a backlog, in turns. */
async function backlogFigures(directory: string): Promise<readonly Figure[]> {
  await using empty = await startEngine(0);
  await using full = await startEngine(backlog);
  for (const { port } of [empty, full]) await rateOf(directory, port, "write");
  const { withBacklog, write } = await samplesInTurns(rounds, {
    withBacklog: () => rateOf(directory, full.port, "write"),
    write: () => rateOf(directory, empty.port, "write"),
  });
  return [
    atLeast("writes with a backlog of 5 million ÷ empty", medianRatio(withBacklog, write), 0.85, "times"),
    atMost("opening 5 million entries after a crash", full.openingMs / 1000, 2, "s"),
  ];
}

/** Of writes at one connection and of syncs, in turns, each for as long: pauses of the disk meet both. */
async function tails(
  directory: string,
  port: number,
): Promise<{ ratio: number; evenPaceRatio: number; fdatasyncMs: number }> {
  // Lone writes take other paths than those of many, which are to be compiled first.
  for (let round = 0; round < 2; round++) await loneWrites(port, seconds);
  const writes: Tail[] = [];
  const syncs: Tail[] = [];
  for (let round = 0; round < rounds; round++) {
    writes.push(await loneWrites(port, seconds));
    syncs.push(await fdatasyncTail(directory, seconds));
  }
  const of = (times: readonly Tail[], name: keyof Tail): number[] => times.map((one) => one[name]);
  return {
    ratio: medianRatio(of(writes, "p99Ms"), of(syncs, "p99Ms")),
    evenPaceRatio: medianRatio(of(writes, "p99EvenPaceMs"), of(syncs, "p99EvenPaceMs")),
    fdatasyncMs: median(of(syncs, "p99Ms")),
  };
}

/** Ingest of records while a backlog goes to an emulator, beside the same ingest with nobody to send to. */
async function drainFigures(directory: string): Promise<readonly Figure[]> {
  const muranoPort = await freePort();
  await using running = await startEngine(0, muranoPort);
  const ingest = (aliases: readonly string[], duration: number): Promise<number> =>
    load({ directory, port: running.port, kind: "record", connections, seconds: duration, aliases });
  await ingest(prefilledAliases, 4);
  const measure = (): Promise<{ rate: number }> =>
    medianInTurns(3, { rate: () => ingest(["temperature", "humidity"], seconds) });
  const before = await measure();
  await using _emulator = await startTestEmulator({ port: muranoPort, openActivation: true });
  await eventually("the backlog to move", async () => (await delivered(running.port)) > 5_000, 60_000);
  const deliveredBefore = await delivered(running.port);
  const startedAt = performance.now();
  const during = await measure();
  const drained = (await delivered(running.port)) - deliveredBefore;
  const drainRate = (drained / (performance.now() - startedAt)) * 1000;
  return [
    atLeast("points drained meanwhile", drainRate, 5_000, "a second"),
    atLeast("ingest while draining ÷ ingest alone", during.rate / before.rate, 0.6, "times"),
  ];
}

async function delivered(port: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(/^gmq_delivered_entries_total (\d+)/m.exec(text)?.[1] ?? 0);
}

interface RunningEngine extends AsyncDisposable {
  readonly engine: EngineProcess;
  readonly port: number;
  readonly openingMs: number;
}

async function startEngine(entries: number, muranoPort = 9): Promise<RunningEngine> {
  const engine = new EngineProcess({
    serverUrl: `http://127.0.0.1:${muranoPort}`,
    product: "bench",
    serial: "gateway",
    engineConfig: [],
  });
  const { etcDir, libDir, queuePort } = engine.paths;
  writeFileSync(join(etcDir, "gmq.cfg"), "[db]\nmax_mib = 0\n[unq]\nbatch_qty = 2000\n", { mode: 0o640 });
  mkdirSync(libDir);
  let openingMs = 0;
  if (entries > 0) {
    await runChild([childFile, "fill", libDir, String(entries)]).catch(() => undefined);
    openingMs = Number(await runChild([childFile, "open", libDir]));
  }
  engine.start();
  const port = await eventually("the queue's port", () => portIn(queuePort));
  pinToServerCore(engine.pid ?? 0);
  return { engine, port, openingMs, [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose]() };
}

function portIn(file: string): number | undefined {
  try {
    return Number(readFileSync(file, "utf8")) || undefined;
  } catch {
    return undefined; // Not there yet.
  }
}

async function startServer(args: readonly string[]): Promise<{ port: number; stop: () => Promise<void> }> {
  const child = spawn(process.execPath, [...args], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const first = await new Promise<string>((resolve) =>
    child.stdout.once("data", (text) => resolve(String(text))),
  );
  pinToServerCore(child.pid ?? 0);
  return {
    port: Number(first),
    stop: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

function watchMemory(pid: number): { maximumMb: () => number; stop: () => void } {
  let maximum = 0;
  const timer = setInterval(() => {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    const kib = [...text.matchAll(/^Private_\w+:\s+(\d+) kB/gm)].reduce(
      (sum, [, one]) => sum + Number(one),
      0,
    );
    maximum = Math.max(maximum, kib / 1024);
  }, 500);
  return { maximumMb: () => maximum, stop: () => clearInterval(timer) };
}

function subdirectory(directory: string, name: string, anew = false): string {
  const path = join(directory, name);
  if (anew) rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  return path;
}
