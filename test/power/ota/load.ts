/** Load: one update after the other, each command taken and cleared as the engine does. */
import { EventLog, readEvents } from "../events.ts";
import { Dice } from "../random.ts";
import type { LoadRequest } from "../scenario.ts";
import { inEngineFetch, type OtaEvent } from "./events.ts";
import { command } from "./packages.ts";
import { openPipeline } from "./pipeline.ts";

const updates = 12;

const request = JSON.parse(process.argv[2] ?? "") as LoadRequest;
const dice = new Dice(request.seed);
const history = readEvents<OtaEvent>(request.history);
const events = new EventLog<OtaEvent>(request.events, request.writeLog);
const last = Math.max(0, ...history.map(({ number }) => number));
const harness = openPipeline(request.directory, last, last + updates);
// The log is started over often: as after months, but within seconds. While it grows, every commit also makes durable
// what else was done to the file system, and would hide a missing sync.
harness.db.pragma("wal_autocheckpoint = 20");
if (request.control) harness.db.pragma("synchronous = NORMAL");

harness.ota.start();
const pending = inEngineFetch(history);
if (pending !== undefined) await perform(pending);
await harness.ota.idle();
for (let number = last + 1; number <= last + updates; number += 1) {
  events.note({ kind: "sent", number });
  await perform(number);
}
// As abruptly as the engine may end.
process.exit(0);

async function perform(number: number): Promise<void> {
  const { key } = harness.ota.accept(command(number));
  events.note({ kind: "taken", number });
  // The answer to clearing may be lost; then the work begins all the same.
  const isAnswered = dice.chance(0.5);
  if (isAnswered) clear(number, key);
  await harness.ota.idle();
  events.note({ kind: "reported", number });
  if (!isAnswered) clear(number, key);
}

function clear(number: number, key: string): void {
  events.note({ kind: "cleared", number });
  harness.ota.acknowledgeCleared(key);
}
