/** `npm run bench [-- NAME…]`: measures, side by side in one run, and prints a table. Not a test. */
import { benchConsole } from "./console.ts";
import { benchDownload } from "./download.ts";
import { benchEmulator } from "./emulator.ts";
import { atLeast, type Figure, plain } from "./figures.ts";
import { benchIdle } from "./idle.ts";
import { benchLogs } from "./logs.ts";
import { benchMemory } from "./memory.ts";
import { benchOta } from "./ota.ts";
import { benchQueue } from "./queue.ts";
import { benchStartup } from "./startup.ts";
import { benchSupervise } from "./supervise.ts";

const benches: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  startup: benchStartup,
  memory: benchMemory,
  idle: benchIdle,
  emulator: emulatorFigures,
  download: benchDownload,
  ota: benchOta,
  supervise: benchSupervise,
  logs: benchLogs,
  queue: benchQueue,
  console: benchConsole,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in benches));
if (unknown.length > 0) {
  console.error(`no such bench: ${unknown.join(", ")}; there are: ${Object.keys(benches).join(", ")}`);
  process.exit(2);
}
let unmet = 0;
for (const [name, bench] of Object.entries(benches)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`\n${name}`);
  for (const { what, value, demand, met } of await bench()) {
    if (met === false) unmet += 1;
    const verdict = demand === undefined ? "" : `  (${demand}: ${met ? "met" : "NOT MET"})`;
    console.log(`  ${what.padEnd(62)} ${value.padStart(16)}${verdict}`);
  }
}
process.exitCode = unmet === 0 ? 0 : 1;

async function emulatorFigures(): Promise<readonly Figure[]> {
  const { emulator, bare, ratio, residentBytes } = await benchEmulator();
  return [
    atLeast("check-ins served, each durable", emulator.requestsPerSecond, 3_000, "a second"),
    plain("p99 of a check-in at 64 connections", `${emulator.p99Ms.toFixed(1)} ms`),
    plain("bare node:http server under the same load", `${bare.requestsPerSecond.toFixed(0)} a second`),
    plain("emulator ÷ bare server", `${ratio.toFixed(2)} times`),
    plain("resident memory of the emulator", `${(residentBytes / 1e6).toFixed(0)} MB`),
  ];
}
