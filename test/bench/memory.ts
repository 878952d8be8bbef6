import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { startTestEmulator } from "../support/emulator.ts";
import { EngineProcess, eventually } from "../support/engine-process.ts";
import { idleApp } from "../support/idle-gateway.ts";
import { atMost, type Figure, plain } from "./figures.ts";
import { memoryOf } from "./process-memory.ts";

const idleMs = 20_000;
const apps = ["one", "two", "three"];
const bareServer =
  'require("node:http").createServer((q, r) => r.end("ok")).listen(0, "127.0.0.1", () => console.log("up"))';

/** Memory of an engine at idle with three apps, beside a bare `node:http` server that has answered nothing. */
export async function benchMemory(): Promise<readonly Figure[]> {
  await using emulator = await startTestEmulator();
  const device = await emulator.addSerial("bench", "memory-1");
  await using engine = new EngineProcess({ serverUrl: emulator.url, product: "bench", serial: "memory-1" });
  for (const app of apps) await emulator.addContent("bench", `${app}.v1.tar.gz`, await idleApp());
  await device.write(
    "engine_fetch",
    JSON.stringify({ install: apps.map((app) => ({ name: `${app}.v1.tar.gz` })) }),
  );
  engine.start();
  for (const app of apps) await engine.running(app);
  // As it is for most of a gateway's life: started anew since the last installation, and quiet.
  await engine.end("SIGTERM");
  engine.start();
  await eventually("a check-in", async () => (await engine.status())?.checkIn.lastSuccessAtMs ?? undefined);
  const bare = spawn(process.execPath, ["-e", bareServer], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((resolve) => bare.stdout.once("data", resolve));
  await delay(idleMs);

  const daemon = memoryOf(engine.pid ?? 0);
  const server = memoryOf(bare.pid ?? 0);
  bare.kill();
  const parts = engine.processes().map(({ pid, command }) => ({ command, ...memoryOf(pid) }));
  const launchers = parts.filter(({ command }) => command.includes("launcher.sh"));
  const pm2 = parts.filter(({ command }) => command.startsWith("gwe-pm2"));
  const logd = parts.filter(({ command }) => command.includes("logd.mjs"));
  const sum = (of: readonly { privateDirtyMb: number }[]): number =>
    of.reduce((total, { privateDirtyMb }) => total + privateDirtyMb, 0);
  const all = daemon.privateDirtyMb + sum(pm2) + sum(logd) + sum(launchers);
  return [
    plain("RSS of a bare node:http server", `${server.rssMb.toFixed(1)} MB`),
    atMost("RSS of the daemon ÷ bare node:http server", daemon.rssMb / server.rssMb, 2, "times"),
    plain("private dirty: daemon", `${daemon.privateDirtyMb.toFixed(1)} MB`),
    plain("private dirty: pm2's daemon", `${sum(pm2).toFixed(1)} MB`),
    plain("private dirty: log daemon", `${sum(logd).toFixed(1)} MB`),
    plain(
      `private dirty: ${launchers.length} launcher processes of 3 apps`,
      `${sum(launchers).toFixed(1)} MB`,
    ),
    atMost("private dirty: daemon + pm2's daemon + log daemon + launchers", all, 60, "MB"),
  ];
}
