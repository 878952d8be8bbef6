import { join } from "node:path";
import type { QueueStore } from "../../../src/queue/index.ts";
import type { Batch, WireEntry } from "../../../src/queue/types.ts";
import { promised } from "../errors.ts";
import type { CutState, Scenario } from "../scenario.ts";
import { callers, idIn, valueFor } from "./entries.ts";
import type { QueueEvent } from "./events.ts";
import { type Fate, Knowledge } from "./knowledge.ts";
import { openStore } from "./store.ts";

export const queue: Scenario<QueueEvent> = {
  name: "queue",
  promise:
    "apps' data: every acknowledged record is there, whole, in order, once, and where it was settled it stays settled",
  load: join(import.meta.dirname, "load.ts"),
  control: "the store with synchronous=NORMAL",
  weight: 6,
  check,
};

/** An entry as the forwarder gets it after the cut. */
interface Found extends WireEntry {
  readonly id: string;
  readonly series: string;
}

async function check({ directory, events }: CutState<QueueEvent>): Promise<void> {
  const known = new Knowledge(events);
  const store = openStore({ directory, bootId: "boot-after", synchronous: "FULL" });
  try {
    checkCounts(store);
    const waiting = await drain(store);
    const dead = new Set(store.dead.list({ limit: 1_000_000 }).map(({ value }) => whole(value)));
    checkFates(known, waiting, dead);
    checkOrder(known, waiting);
    checkSeconds(known, waiting);
    await checkNextSeq(known, waiting, store);
    checkCounts(store);
  } finally {
    await store.stop();
  }
}

/** Everything through the hands of a forwarder, as Murano would get it. */
async function drain(store: QueueStore): Promise<ReadonlyMap<string, Found>> {
  const found = new Map<string, Found>();
  const last = new Map<string, number>();
  const total = store.status().entries;
  let delivered = 0;
  for (const { id: identity } of store.identities.list()) {
    for (const lane of ["live", "backlog"] as const) {
      for (;;) {
        const batch = await store.take(identity, lane, { maxEntries: 500, maxBytes: 1_000_000 });
        if (batch === undefined) break;
        delivered += batch.entries.length;
        for (const entry of foundIn(batch)) {
          promised(!found.has(entry.id), `${entry.id} is there twice`);
          found.set(entry.id, entry);
          const before = last.get(`${lane} ${entry.series}`) ?? 0;
          promised(
            before < entry.seq,
            `${entry.id} (seq ${entry.seq}) leaves after the entry with seq ${before}`,
          );
          last.set(`${lane} ${entry.series}`, entry.seq);
        }
        await store.settle(batch, []);
      }
    }
  }
  promised(delivered === total, `the store says it holds ${total} entries and hands out ${delivered}`);
  return found;
}

function foundIn(batch: Batch): readonly Found[] {
  return batch.entries.map((entry) => ({
    ...entry,
    id: whole(entry.value),
    series: `${batch.identityId} ${entry.alias}`,
  }));
}

function whole(value: string): string {
  const id = idIn(value);
  promised(id !== undefined, `a value is not as it was handed in: ${JSON.stringify(value.slice(0, 100))}`);
  return id;
}

function checkFates(
  known: Knowledge,
  waiting: ReadonlyMap<string, unknown>,
  dead: ReadonlySet<string>,
): void {
  for (const [id, allowed] of known.acknowledged()) {
    promised(!(waiting.has(id) && dead.has(id)), `${id} waits and is a dead letter as well`);
    const fate: Fate = waiting.has(id) ? "waiting" : dead.has(id) ? "dead" : "delivered";
    const what = fate === "delivered" ? "is not there" : fate === "dead" ? "is a dead letter" : "waits";
    promised(allowed.includes(fate), `${id} ${what}; it was to be: ${allowed.join(" or ")}`);
  }
}

function checkOrder(known: Knowledge, waiting: ReadonlyMap<string, Found>): void {
  for (const ids of known.byClient.values()) {
    let before: Found | undefined;
    for (const id of ids) {
      const entry = waiting.get(id);
      if (entry === undefined) continue;
      promised(before === undefined || before.seq < entry.seq, `${id} stands before ${before?.id}`);
      before = entry;
    }
  }
}

/** A second that was handed out may have been uploaded: it is the entry's own for ever. */
function checkSeconds(known: Knowledge, waiting: ReadonlyMap<string, Found>): void {
  const users = new Map<string, string>();
  const use = (id: string, series: string, second: number): void => {
    const key = `${series} ${second}`;
    const other = users.get(key);
    promised(other === undefined || other === id, `${id} and ${other} share the second ${key}`);
    users.set(key, id);
  };
  for (const [id, { series, second }] of known.taken) {
    // Murano refused a dead letter: its second is free again.
    if (!known.fatesOf(id).includes("dead")) use(id, series, second);
  }
  for (const [id, { series, second }] of waiting) {
    const before = known.taken.get(id)?.second;
    promised(
      before === undefined || before === second,
      `${id} was handed out for the second ${before} and now is for ${second}`,
    );
    use(id, series, second);
  }
}

async function checkNextSeq(
  known: Knowledge,
  waiting: ReadonlyMap<string, Found>,
  store: QueueStore,
): Promise<void> {
  const caller = callers[0];
  promised(caller !== undefined, "there is a caller");
  const value = valueFor("after", "");
  await store.append({
    caller,
    lane: "backlog",
    stampedBy: "app",
    series: [{ alias: "temperature", times: [0], values: [value] }],
  });
  const identity = store.identities.find(caller)?.id ?? 0;
  const batch = await store.take(identity, "backlog", { maxEntries: 10, maxBytes: 10_000 });
  promised(batch?.entries.length === 1 && batch.entries[0]?.value === value, "a new entry is not handed out");
  const seqs = [...known.taken.values(), ...waiting.values()].map(({ seq }) => seq);
  const highest = seqs.reduce((most, seq) => Math.max(most, seq), 0);
  const seq = batch.entries[0]?.seq ?? 0;
  promised(seq > highest, `the next seq is ${seq}, and ${highest} was given out before`);
  await store.settle(batch, []);
}

/** `accepted = waiting + delivered + dropped + dead` (docs/queue.md, "Invariants"). */
function checkCounts(store: QueueStore): void {
  const { entries, deadLetters, counts } = store.status();
  const { accepted, delivered, dropped, dead } = counts;
  const sum = (values: Readonly<Record<string, number>>): number =>
    Object.values(values).reduce((total, value) => total + value, 0);
  promised(sum(dead) === deadLetters, `${deadLetters} dead letters are there, ${sum(dead)} are counted`);
  const accounted = entries + delivered + sum(dropped) + sum(dead);
  promised(accepted === accounted, `${accepted} entries were accepted, ${accounted} are accounted for`);
}
