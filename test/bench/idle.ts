import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { diskCallsDuring } from "../support/disk-calls.ts";
import { IdleGateway } from "../support/idle-gateway.ts";
import { atMost, type Figure, plain } from "./figures.ts";

/** For a quick look: less than what is demanded. */
const seconds = Number(process.env.GWE_BENCH_SECONDS ?? 300);
const intervalS = 60;
/** What a start sets going (what machine is this? has it settled?) is over by then. */
const settleMs = 20_000;
const watchedCheckIns = 5;

/** What an engine costs that has nothing to do: processor, wire and disk. */
export async function benchIdle(): Promise<readonly Figure[]> {
  await using gateway = await IdleGateway.running(["one", "two", "three"], intervalS);
  await gateway.restart();
  const { engine, murano, tap } = gateway;
  const pid = engine.pid ?? 0;
  await delay(settleMs);
  // What the engine has learned of the machine since its start is told by the first.
  await gateway.checkIn();
  await delay(1_000);
  tap.take();
  await gateway.checkIn();
  await delay(1_000);
  const { sent, received } = tap.take();

  const bare = bareProcess(murano.url, sent);
  const least = bareProcess(murano.url, sent, join(engine.home, "least.db"));
  await delay(settleMs);
  const cpuMs = () => ({
    engine: cpuMsOf(pid),
    bare: cpuMsOf(bare.pid ?? 0),
    least: cpuMsOf(least.pid ?? 0),
  });
  const [before, since] = [cpuMs(), murano.cursor];
  await delay(seconds * 1000);
  const after = cpuMs();
  const spent = {
    engine: after.engine - before.engine,
    bare: after.bare - before.bare,
    least: after.least - before.least,
  };
  const checkIns = murano.requests({ after: since, procedure: "write-read" }).length;
  bare.kill();
  least.kill();

  const disk = await diskCallsDuring(pid, join(engine.home, "strace"), async () => {
    for (let round = 0; round < watchedCheckIns; round++) await gateway.checkIn();
    await delay(1_000);
  });
  const bytes = Array.from(disk.written.values()).reduce((sum, one) => sum + one, 0);
  return [
    atMost("bytes of an idle check-in with three apps, both ways", sent.length + received, 1_200, "bytes"),
    plain("sent, received", `${sent.length}, ${received} bytes`),
    plain("check-ins of all three in the time measured", `${checkIns} in ${seconds} s`),
    plain("processor time of a bare Node process", `${spent.bare.toFixed(1)} ms`),
    plain("the same by node-fetch, and a commit synced to disk", `${spent.least.toFixed(1)} ms`),
    plain("processor time of the engine", `${spent.engine.toFixed(1)} ms`),
    atMost("engine ÷ bare Node process", spent.engine / spent.bare, 2, "times"),
    plain("node-fetch and commit alone ÷ bare Node process", (spent.least / spent.bare).toFixed(2)),
    atMost("syncs to disk ÷ idle check-ins", disk.syncs.length / watchedCheckIns, 1, "a check-in"),
    plain("bytes written to disk ÷ idle check-ins", `${(bytes / watchedCheckIns).toFixed(0)} bytes`),
    plain(
      "files written",
      Array.from(disk.written.keys(), (file) => file.slice(engine.home.length)).join(" "),
    ),
  ];
}

/** One that makes the request that it is given once an interval (bare-check-in.ts). */
function bareProcess(url: string, sent: Buffer, ...options: readonly string[]): ChildProcess {
  const script = join(import.meta.dirname, "bare-check-in.ts");
  const child = spawn(process.execPath, [script, url, String(intervalS * 1000), ...options], {
    stdio: ["pipe", "inherit", "inherit"],
  });
  child.stdin.end(sent);
  return child;
}

/** Of all of a process' threads, by the scheduler's own clock. */
function cpuMsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map((tid) => Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, "latin1").split(" ")[0]) / 1e6)
    .reduce((sum, ms) => sum + ms, 0);
}
