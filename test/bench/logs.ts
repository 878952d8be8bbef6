import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { followLog } from "../../src/cli/log-tail.ts";
import { startTestEmulator } from "../support/emulator.ts";
import { EngineProcess, eventually } from "../support/engine-process.ts";
import { packageTarball } from "../support/package-tarball.ts";
import { atLeast, atMost, type Figure, plain } from "./figures.ts";
import { memoryOf } from "./process-memory.ts";

/** A minute, as was promised; shorter where somebody only wants to see it work. */
const seconds = Number(process.env.GWE_BENCH_SECONDS ?? 60);
const bytesPerSecond = 100e6;
const budgetMib = 50;
const quietScript = `
setInterval(() => process.stdout.write(process.hrtime.bigint() + "\\n"), 50);
`;

/** An app that writes 100 MB/s for a minute beside one that writes a line now and then. */
export async function benchLogs(): Promise<readonly Figure[]> {
  const ours = await underEngine();
  const theirs = await underSupervisord();
  return [
    plain(`log daemon at rest: private dirty`, `${ours.idleMb.toFixed(1)} MB`),
    atLeast(`one app writes, for ${seconds} s`, ours.mbPerSecond, 95, "MB/s"),
    ...ours.growth.map(({ name, mb }) => atMost(`  private dirty of ${name} grows by`, mb, 60, "MB")),
    atMost("  all logs on disk, at the most", ours.diskMb, (budgetMib * 1024 * 1024) / 1e6, "MB"),
    plain("  processor time of the log daemon", `${ours.cpuPercent.toFixed(0)} %`),
    plain("  rotations", `${((ours.mbPerSecond * seconds) / 0.2048).toFixed(0)}`),
    plain("  another app's line is in its log after (median)", `${ours.latency.median.toFixed(1)} ms`),
    atMost("  … at the latest", ours.latency.max, 1_000, "ms"),
    ...(theirs === undefined
      ? [plain("supervisord", "is not installed")]
      : [
          plain(`supervisord, the same app: it writes`, `${theirs.mbPerSecond.toFixed(0)} MB/s`),
          plain("  processor time of supervisord", `${theirs.cpuPercent.toFixed(0)} %`),
          plain("  private dirty of supervisord", `${theirs.privateMb.toFixed(1)} MB`),
        ]),
  ];
}

interface Ours {
  readonly idleMb: number;
  readonly mbPerSecond: number;
  readonly growth: readonly { readonly name: string; readonly mb: number }[];
  readonly diskMb: number;
  readonly cpuPercent: number;
  readonly latency: { readonly median: number; readonly max: number };
}

async function underEngine(): Promise<Ours> {
  await using emulator = await startTestEmulator();
  const device = await emulator.addSerial("bench", "logs-1");
  await using engine = new EngineProcess({ serverUrl: emulator.url, product: "bench", serial: "logs-1" });
  // It begins when the file is there.
  const go = join(engine.home, "go");
  const chatty = `while [ ! -e ${go} ]; do sleep 0.1; done; exec ${chattyCommand()}`;
  await emulator.addContent("bench", "chatty.v1.tar.gz", await app("/bin/sh chatty.sh", "chatty.sh", chatty));
  await emulator.addContent(
    "bench",
    "quiet.v1.tar.gz",
    await app(`${process.execPath} quiet.js`, "quiet.js", quietScript),
  );
  const install = ["chatty", "quiet"].map((name) => ({ name: `${name}.v1.tar.gz` }));
  await device.write("engine_fetch", JSON.stringify({ install }));
  engine.start();
  for (const name of ["chatty", "quiet"]) await engine.running(name);
  await delay(10_000);

  const processes = ourProcesses(engine);
  const logd = processes.find(({ name }) => name === "the log daemon")?.pid ?? 0;
  const before = new Map(processes.map(({ pid }) => [pid, memoryOf(pid).privateDirtyMb]));
  const most = new Map(before);
  const latencies: number[] = [];
  let watching = true;
  const following = watchLatency(join(engine.paths.logDir, "quiet.log"), latencies, () => watching);
  const cpuBefore = cpuSeconds(logd);
  writeFileSync(go, "");
  let diskMb = 0;
  const chattyLog = join(engine.paths.logDir, "chatty.log");
  for (const until = performance.now() + seconds * 1000; performance.now() < until; await delay(200)) {
    for (const { pid } of processes)
      most.set(pid, Math.max(most.get(pid) ?? 0, memoryOf(pid).privateDirtyMb));
    diskMb = Math.max(diskMb, bytesIn(engine.paths.logDir) / 1e6);
  }
  const cpuPercent = ((cpuSeconds(logd) - cpuBefore) / seconds) * 100;
  const written = await eventually("the writer's end", () =>
    [chattyLog, `${chattyLog}.1`].map(wroteIn).find((found) => found !== undefined),
  );
  watching = false;
  await following;
  const sorted = latencies.toSorted((one, other) => one - other);
  return {
    idleMb: before.get(logd) ?? Number.NaN,
    mbPerSecond: written.bytes / 1e3 / written.ms,
    growth: processes.map(({ pid, name }) => ({ name, mb: (most.get(pid) ?? 0) - (before.get(pid) ?? 0) })),
    diskMb,
    cpuPercent,
    latency: {
      median: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN,
      max: sorted.at(-1) ?? Number.NaN,
    },
  };
}

function ourProcesses(engine: EngineProcess): readonly { readonly pid: number; readonly name: string }[] {
  const named = engine.processes().flatMap(({ pid, command }) => {
    if (command.includes("logd.mjs")) return [{ pid, name: "the log daemon" }];
    if (command.startsWith("gwe-pm2")) return [{ pid, name: "pm2's daemon" }];
    return [];
  });
  return [{ pid: engine.pid ?? 0, name: "the engine" }, ...named];
}

/** Notes how old each line is when it can be read. */
async function watchLatency(file: string, latencies: number[], goesOn: () => boolean): Promise<void> {
  class Enough extends Error {}
  const follow = followLog({
    file,
    begin: { lines: 0 },
    write: async (data) => {
      const now = process.hrtime.bigint();
      for (const line of Buffer.from(data).toString().trim().split("\n")) {
        if (/^\d+$/.test(line)) latencies.push(Number(now - BigInt(line)) / 1e6);
      }
    },
    wait: async () => {
      if (!goesOn()) throw new Enough();
      await delay(1);
    },
    onGap: () => undefined,
  });
  await follow.catch((error: unknown) => {
    if (!(error instanceof Enough)) throw error;
  });
}

/** The same app under real supervisord, with the same rotation. */
async function underSupervisord(): Promise<
  { readonly mbPerSecond: number; readonly cpuPercent: number; readonly privateMb: number } | undefined
> {
  if (spawnSync("supervisord", ["--version"]).status !== 0) return undefined;
  const home = mkdtempSync(join(tmpdir(), "gwe-bench-"));
  const log = join(home, "chatty.log");
  mkdirSync(join(home, "children"));
  writeFileSync(
    join(home, "supervisord.conf"),
    [
      "[supervisord]",
      "nodaemon=true",
      `logfile=${home}/supervisord.log`,
      `pidfile=${home}/pid`,
      `childlogdir=${home}/children`,
      "[program:chatty]",
      `command=${chattyCommand()}`,
      "redirect_stderr=true",
      `stdout_logfile=${log}`,
      "stdout_logfile_maxbytes=200KB",
      "stdout_logfile_backups=1",
      "",
    ].join("\n"),
  );
  const daemon = spawn("supervisord", ["-c", join(home, "supervisord.conf")], { stdio: "ignore", cwd: home });
  try {
    const pid = daemon.pid ?? 0;
    const told = await eventually(
      "the writer's end",
      () => wroteIn(log) ?? wroteIn(`${log}.1`),
      (seconds + 30) * 1000,
    );
    const cpuPercent = (cpuSeconds(pid) / (told.ms / 1000)) * 100;
    return { mbPerSecond: told.bytes / 1e3 / told.ms, cpuPercent, privateMb: memoryOf(pid).privateDirtyMb };
  } finally {
    const ended = new Promise((resolve) => daemon.once("exit", resolve));
    daemon.kill("SIGTERM");
    await ended;
    rmSync(home, { recursive: true, force: true });
  }
}

function chattyCommand(): string {
  return `${process.execPath} ${join(import.meta.dirname, "chatty-app.ts")} ${bytesPerSecond} ${seconds}`;
}

function app(command: string, file: string, content: string): Promise<Uint8Array<ArrayBuffer>> {
  return packageTarball({
    "install.sh": { content: "#!/bin/sh\nexit 0\n", mode: 0o755 },
    "supervisor.conf": { content: `[supervisord]\ncommand = ${command}\n` },
    [file]: { content },
  });
}

/** What the chatty app says at its end. */
function wroteIn(file: string): { readonly bytes: number; readonly ms: number } | undefined {
  try {
    const match = /^wrote (\d+) in ([\d.]+) ms$/m.exec(readFileSync(file, "latin1"));
    return match === null ? undefined : { bytes: Number(match[1]), ms: Number(match[2]) };
  } catch {
    // In the middle of a rotation.
    return undefined;
  }
}

function bytesIn(directory: string): number {
  return readdirSync(directory)
    .map((name) => statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size, 0);
}

/** User and system time of a process. */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
