import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ControlClient } from "../../src/cli/control-client.ts";
import { EngineProcess, eventually } from "../support/engine-process.ts";
import { packageTarball } from "../support/package-tarball.ts";
import { atMost, type Figure, medianInTurns, plain } from "./figures.ts";
import { memoryOf } from "./process-memory.ts";

const counts = [1, 10, 50];
const crashRounds = 7;
/** Until what a start sets going has come to rest; then as long again is measured. */
const settleMs = 10_000;
const idleMs = 20_000;
/** Longer than supervision waits after a start before it starts an app again. */
const liveMs = 1_300;

/** Who keeps the apps: the engine with its helpers, or supervisord. */
interface Host extends AsyncDisposable {
  readonly directory: string;
  /** All there is of it but the apps, by part. */
  parts(): Readonly<Record<string, readonly number[]>>;
}

/**
 * What supervision costs while nothing happens, and how fast a crashed app is back, beside Debian's supervisord with
 * the same apps at the same time.
 */
export async function benchSupervise(): Promise<readonly Figure[]> {
  const root = mkdtempSync(join(tmpdir(), "gwe-bench-"));
  const figures: Figure[] = [];
  await using engine = await startEngine(join(root, "engine"));
  try {
    for (const count of counts) {
      await engine.grow(count);
      await using supervisord = await startSupervisord(join(root, `supervisord-${count}`), count);
      figures.push(...(await idleFigures(count, engine, supervisord)));
      if (count === counts[0]) figures.push(...(await crashFigures(engine, supervisord)));
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  return figures;
}

function appNames(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `app${index + 1}`);
}

/** Says which process it is and when it began, and does nothing more. */
function conf(directory: string, name: string): string {
  const script = `echo $$ >${directory}/${name}.pid; date +%s.%N >>${directory}/${name}.starts; exec sleep 100000`;
  return `command=/bin/sh -c '${script.replaceAll("%", "%%")}'`;
}

async function startEngine(directory: string): Promise<Host & { grow(count: number): Promise<void> }> {
  mkdirSync(directory, { recursive: true });
  const engine = new EngineProcess({ serverUrl: "http://127.0.0.1:9", product: "bench", serial: "1" });
  const client = new ControlClient({ socketPath: engine.paths.controlSocket });
  let installed = 0;
  return {
    directory,
    parts: () => enginePartsOf(engine),
    grow: async (count) => {
      if (!engine.isRunning) engine.start();
      await eventually("the engine", () => engine.status());
      const names = appNames(count).slice(installed);
      installed = count;
      const files = await Promise.all(
        names.map(async (name) => {
          const file = join(directory, `${name}.v1.tar.gz`);
          writeFileSync(
            file,
            await packageTarball({
              "install.sh": { content: "#!/bin/sh\nexit 0\n", mode: 0o755 },
              "supervisor.conf": { content: `[supervisord]\n${conf(directory, name)}\n` },
            }),
          );
          return file;
        }),
      );
      await client.install(files);
      // As it is for most of a gateway's life: started anew since the last installation.
      await engine.end("SIGTERM");
      engine.start();
      for (const name of appNames(count)) await engine.running(name);
    },
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}

function enginePartsOf(engine: EngineProcess): Readonly<Record<string, readonly number[]>> {
  const processes = engine.processes();
  const having = (mark: string): readonly number[] =>
    processes.filter(({ command }) => command.includes(mark)).map(({ pid }) => pid);
  return {
    engine: [engine.pid ?? 0],
    "pm2's daemon": having("gwe-pm2 "),
    "log daemon": having("logd.mjs"),
    launchers: having("launcher.sh"),
  };
}

async function startSupervisord(directory: string, count: number): Promise<Host> {
  mkdirSync(directory, { recursive: true });
  const programs = appNames(count).map(
    (name) =>
      `[program:${name}]\n${conf(directory, name)}\nredirect_stderr=true\nstdout_logfile=%(here)s/${name}.log\n`,
  );
  const file = join(directory, "supervisord.conf");
  writeFileSync(
    file,
    `[supervisord]\nlogfile=%(here)s/main.log\npidfile=%(here)s/pid\n[unix_http_server]\nfile=%(here)s/sock
[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n${programs.join("")}`,
  );
  const child: ChildProcess = spawn("/usr/bin/supervisord", ["-n", "-c", file], { stdio: "ignore" });
  await eventually("supervisord's apps", () =>
    appNames(count).every((name) => existsSync(join(directory, `${name}.starts`))),
  );
  return {
    directory,
    parts: () => ({ supervisord: [child.pid ?? 0] }),
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
  };
}

async function idleFigures(count: number, engine: Host, supervisord: Host): Promise<readonly Figure[]> {
  await delay(settleMs);
  const before = [cpuMsByPart(engine), cpuMsByPart(supervisord)];
  const startedAt = performance.now();
  await delay(idleMs);
  const elapsedS = (performance.now() - startedAt) / 1000;
  const after = [cpuMsByPart(engine), cpuMsByPart(supervisord)];
  const rows = [engine, supervisord].flatMap((host, index) =>
    Object.entries(host.parts()).map(([part, pids]) => ({
      part,
      pids,
      msPerSecond: ((after[index]?.[part] ?? 0) - (before[index]?.[part] ?? 0)) / elapsedS,
      privateMb: sum(pids.map((pid) => memoryOf(pid).privateDirtyMb)),
    })),
  );
  const ours = rows.filter(({ part }) => part !== "supervisord");
  const total = sum(ours.filter(({ part }) => part !== "launchers").map(({ privateMb }) => privateMb));
  const apps = `${count} idle app${count === 1 ? "" : "s"}`;
  const what = `${apps}: private dirty of engine, pm2's daemon and log daemon`;
  return [
    ...rows.map(({ part, pids, msPerSecond, privateMb }) =>
      plain(
        `${apps}: ${part}${pids.length > 1 ? ` (${pids.length} processes)` : ""}`,
        `${privateMb.toFixed(1)} MB, ${msPerSecond.toFixed(2)} ms/s`,
      ),
    ),
    plain(
      `${apps}: CPU of all of the engine's`,
      `${sum(ours.map(({ msPerSecond }) => msPerSecond)).toFixed(2)} ms/s`,
    ),
    count === 10 ? atMost(what, total, 60, "MB") : plain(what, `${total.toFixed(1)} MB`),
  ];
}

async function crashFigures(engine: Host, supervisord: Host): Promise<readonly Figure[]> {
  await delay(liveMs);
  const medians = await medianInTurns(crashRounds, {
    engine: () => crashMs(engine),
    supervisord: () => crashMs(supervisord),
  });
  return [
    plain("crash of an app to its next start: supervisord", `${medians.supervisord.toFixed(0)} ms`),
    plain("crash of an app to its next start: pm2 and launcher", `${medians.engine.toFixed(0)} ms`),
  ];
}

/** From SIGKILL to the app's own first act. */
async function crashMs({ directory }: Host): Promise<number> {
  const [name = ""] = appNames(1);
  const starts = (): readonly string[] =>
    readFileSync(join(directory, `${name}.starts`), "utf8")
      .trim()
      .split("\n");
  const known = starts().length;
  const killedAtMs = performance.timeOrigin + performance.now();
  process.kill(Number(readFileSync(join(directory, `${name}.pid`), "utf8")), "SIGKILL");
  const line = await eventually("the next start", () => starts()[known]);
  await delay(liveMs);
  return Number(line) * 1000 - killedAtMs;
}

function cpuMsByPart(host: Host): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(host.parts()).map(([part, pids]) => [part, sum(pids.map(cpuMs))]));
}

/** User and system time of all threads, from /proc/<pid>/task: finer than the clock ticks of `stat`. */
function cpuMs(pid: number): number {
  return sum(
    readdirSync(`/proc/${pid}/task`).map(
      (task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "latin1").split(" ")[0]) / 1e6,
    ),
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
