import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type EmulatorUse, product, type Scene, SimulationError } from "./scene.ts";
import { curve, type Summary, summarise } from "./timeline.ts";

/** What the emulator spent meanwhile. */
export interface Spent {
  /** Of a whole core, in percent. */
  readonly emulatorCpuPercent: number;
  /** Of all its work, milliseconds. */
  readonly cpuMsPerCheckIn: number;
  readonly emulatorMb: number;
  readonly emulatorPeakMb: number;
  readonly diskMb: number;
}

function spent(before: EmulatorUse, after: EmulatorUse, tookMs: number, checkIns: number): Spent {
  const cpuMs = after.cpuMs - before.cpuMs;
  return {
    emulatorCpuPercent: (cpuMs / tookMs) * 100,
    cpuMsPerCheckIn: cpuMs / checkIns,
    emulatorMb: after.residentMb,
    emulatorPeakMb: after.peakMb,
    diskMb: after.diskMb,
  };
}

export interface SteadyFigures extends Summary, Spent {
  readonly gatewayKb: number;
  readonly activated: number;
}

/** One interval in which every gateway checks in once. */
export async function steady(scene: Scene, gateways: number, intervalS: number): Promise<SteadyFigures> {
  const before = scene.emulatorUse();
  const startedMs = performance.now();
  const first = await scene.pass(intervalS);
  const found = summarise(scene.timeline.since(first).slice(0, intervalS));
  return {
    ...found,
    ...spent(before, scene.emulatorUse(), performance.now() - startedMs, found.checkIns),
    gatewayKb: scene.timeline.workerBytes / 1000 / gateways,
    activated: scene.timeline.activated,
  };
}

interface Rollout {
  readonly id: string;
  readonly state: string;
  readonly reason: string;
  readonly wave: number;
  readonly waves: readonly unknown[];
  readonly counts: Readonly<Record<string, number>>;
}

export interface RolloutFigures extends Summary, Spent {
  readonly state: string;
  readonly counts: Readonly<Record<string, number>>;
  /** From the request to the end of the last wave. */
  readonly tookS: number;
}

/** A package to all gateways, in waves; resolves when the roll-out has come to an end. */
export async function rollOut(
  scene: Scene,
  {
    waves,
    soakS,
    limitS,
  }: { readonly waves: readonly string[]; readonly soakS: number; readonly limitS: number },
): Promise<RolloutFigures> {
  const id = "meter.v2.0.tar.gz";
  await scene.addContent(id, Buffer.alloc(20_000, "package "));
  const first = scene.timeline.now() + 1;
  const before = scene.emulatorUse();
  const startedMs = performance.now();
  const request = {
    name: "fleet simulation",
    filter: `product:${product}`,
    command: { install: [{ name: id }] },
    waves,
    soakS,
    successPercent: 90,
    maxFailurePercent: 10,
  };
  let rollout = await ask(scene, "POST", "", request);
  let told = "";
  while (rollout.state === "running") {
    if (performance.now() - startedMs > limitS * 1000)
      throw new SimulationError("the roll-out takes too long");
    await delay(1_000);
    rollout = await ask(scene, "GET", `/${rollout.id}`);
    const line = `  wave ${rollout.wave + 1} of ${rollout.waves.length}: ${counts(rollout.counts)}`;
    if (line !== told && process.stderr.isTTY) process.stderr.write(`${line}\n`);
    told = line;
  }
  const tookMs = performance.now() - startedMs;
  const found = summarise(scene.timeline.since(first));
  return {
    ...found,
    ...spent(before, scene.emulatorUse(), tookMs, found.checkIns),
    state: rollout.reason === "" ? rollout.state : `${rollout.state}: ${rollout.reason}`,
    counts: rollout.counts,
    tookS: tookMs / 1000,
  };
}

async function ask(scene: Scene, method: string, path: string, body?: unknown): Promise<Rollout> {
  const text = await scene.owner(
    method,
    `/console/api/rollouts${path}`,
    body === undefined ? undefined : JSON.stringify(body),
    "application/json",
  );
  return (JSON.parse(text) as { rollout: Rollout }).rollout;
}

export interface OutageFigures {
  readonly awayS: number;
  /** Check-ins a second over one interval before. */
  readonly before: number;
  /** The busiest second after the return. */
  readonly peak: number;
  /** Seconds until 99 % of the gateways had checked in again. */
  readonly backS: number;
  readonly after: Summary;
  readonly curve: string;
}

/** Murano is gone for a while; then, how the fleet comes back. */
export async function outage(
  scene: Scene,
  {
    gateways,
    intervalS,
    awayS,
    watchS,
  }: {
    readonly gateways: number;
    readonly intervalS: number;
    readonly awayS: number;
    readonly watchS: number;
  },
): Promise<OutageFigures> {
  const before = summarise(scene.timeline.since(Math.max(0, scene.timeline.now() - intervalS)));
  await scene.owner(
    "POST",
    "/_emulator/offline",
    JSON.stringify({ forMs: awayS * 1000 }),
    "application/json",
  );
  await delay(awayS * 1000);
  const first = await scene.pass(watchS);
  const seconds = scene.timeline.since(first);
  let seen = 0;
  const back = seconds.findIndex(({ checkIns }) => {
    seen += checkIns.length;
    return seen >= gateways * 0.99;
  });
  return {
    awayS,
    before: before.checkInsPerSecond,
    peak: Math.max(...seconds.map(({ checkIns }) => checkIns.length)),
    backS: back < 0 ? Number.NaN : back + 1,
    after: summarise(seconds),
    curve: curve(seconds, Math.max(1, Math.ceil(watchS / 40))),
  };
}

export function counts(all: Readonly<Record<string, number>>): string {
  const parts = Object.entries(all).map(([state, count]) => `${count} ${state}`);
  return parts.length === 0 ? "none" : parts.join(", ");
}

/** The command line. @throws SimulationError */
export function options() {
  const text = (fallback: string) => ({ type: "string", default: fallback }) as const;
  const { values } = parseArgs({
    options: {
      gateways: text("1000"),
      processes: text("1"),
      interval: text("60"),
      phases: text("steady,rollout,outage"),
      failing: text("0"),
      "cut-off": text("0"),
      "long-poll": text("0"),
      install: text("2000"),
      waves: text("1%,10%,100%"),
      soak: text("5"),
      away: text("120"),
      watch: text("180"),
      seed: text("1"),
      database: { type: "string" },
      exit: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
  const number = (name: keyof typeof values, least: number, most: number): number => {
    const value = Number(values[name]);
    if (values[name] !== "" && value >= least && value <= most) return value;
    throw new SimulationError(`--${name} takes a number from ${least} to ${most}`);
  };
  return {
    gateways: number("gateways", 1, 1_000_000),
    processes: number("processes", 1, 64),
    intervalS: number("interval", 1, 86_400),
    phases: values.phases.split(","),
    failing: number("failing", 0, 1),
    cutOff: number("cut-off", 0, 0.9),
    longPoll: number("long-poll", 0, 1),
    installMs: number("install", 0, 3_600_000),
    waves: values.waves.split(","),
    soakS: number("soak", 0, 86_400),
    awayS: number("away", 1, 86_400),
    watchS: number("watch", 1, 86_400),
    seed: number("seed", 0, 2 ** 31),
    database: values.database,
    exit: values.exit,
    json: values.json,
  };
}
