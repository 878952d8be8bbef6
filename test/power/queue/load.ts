/** Load: apps write and record over HTTP, alone and all at once, while a forwarder takes and settles batches. */
import { silentLogger } from "../../../src/core/logger.ts";
import { ApiServer } from "../../../src/queue/index.ts";
import { EventLog } from "../events.ts";
import { Dice } from "../random.ts";
import type { LoadRequest } from "../scenario.ts";
import { App } from "./app.ts";
import { callers, idIn, seriesOf } from "./entries.ts";
import type { QueueEvent } from "./events.ts";
import { openStore } from "./store.ts";

/** Of each client, one after the other. */
const requests = 40;
const clients = 12;
/** Far from what is recorded; each write a few seconds later, for Murano takes one value a second. */
const firstWriteMs = 1_800_000_000_000;
const lanes = ["live", "backlog"] as const;

const request = JSON.parse(process.argv[2] ?? "") as LoadRequest;
const events = new EventLog<QueueEvent>(request.events, request.writeLog);
const store = openStore({
  directory: request.directory,
  bootId: `boot-${request.life}`,
  synchronous: request.control ? "NORMAL" : "FULL",
});

let writes = request.life * 100_000;
const api = new ApiServer({
  intake: store,
  identities: store.identities,
  activator: { activate: async () => undefined },
  readThrough: { read: async () => undefined },
  reread: async () => undefined,
  isHealthy: () => true,
  metrics: () => "",
  now: () => firstWriteMs + writes++ * 3_000,
  settings: { port: 0, maxConnections: 100, maxBodyBytes: 4_000_000, requestTimeoutMs: 30_000 },
  // Beside the notes: not on the disk.
  socketPath: `${request.events}.sock`,
  logger: silentLogger,
});
await api.start();

await client(0);
const appending = new AbortController();
await Promise.all([
  Promise.all(Array.from({ length: clients }, (_, index) => client(index + 1))).then(() => appending.abort()),
  forwarder(appending.signal),
]);
// As abruptly as the daemon may end.
process.exit(0);

async function client(number: number): Promise<void> {
  const name = `${request.life}-${number}`;
  const dice = new Dice(request.seed, "client", number);
  const app = new App(api.port, dice.pick(callers));
  // Every point of every client has a time of its own.
  let point = (request.life * (clients + 1) + number) * requests * 30;
  for (let count = 0; count < requests; count += 1) {
    const { ids, series } = seriesOf(`${name}-${count}`, point, dice);
    point += ids.length;
    if (dice.chance(0.3)) {
      await app.write(series);
      events.note({ kind: "acknowledged", client: name, ids: ids.slice(-1) });
    } else {
      await app.record(series);
      events.note({ kind: "acknowledged", client: name, ids });
    }
  }
}

/** Slower than the apps: a backlog remains. */
async function forwarder(stop: AbortSignal): Promise<void> {
  const dice = new Dice(request.seed, "forwarder");
  while (!stop.aborted) {
    const { id } = dice.pick(store.identities.list());
    const batch = await store.take(id, dice.pick(lanes), {
      maxEntries: dice.between(1, 20),
      maxBytes: 20_000,
    });
    if (batch === undefined) continue;
    const entries = batch.entries.map(({ value, seq, second, alias }) => ({
      id: idIn(value) ?? "",
      seq,
      second,
      series: `${batch.identityId} ${alias}`,
    }));
    events.note({ kind: "taken", lane: batch.lane, entries });
    if (dice.chance(0.3)) {
      store.release(batch);
      continue;
    }
    const refused = batch.entries.filter(() => dice.chance(0.05));
    const isRefused = new Set(refused.map(({ seq }) => seq));
    const dead = entries.filter(({ seq }) => isRefused.has(seq)).map(({ id: name }) => name);
    const ids = entries.filter(({ seq }) => !isRefused.has(seq)).map(({ id: name }) => name);
    events.note({ kind: "settling", ids, dead });
    await store.settle(
      batch,
      refused.map(({ seq }) => ({ seq, reason: "rejected", status: 400, answer: "no" })),
    );
    events.note({ kind: "settled", ids, dead });
  }
}
