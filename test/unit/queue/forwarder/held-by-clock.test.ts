import { expect, it, onTestFinished } from "vitest";
import { silentLogger } from "../../../../src/core/logger.ts";
import { Forwarder, type QueueOutlet, type QueueStore } from "../../../../src/queue/index.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { openQueueStore, record, write } from "../../../support/queue-store.ts";
import { unknownTime } from "../../../support/true-time.ts";

/** A gateway that does not know the time, and has no link that could be opened. */
function untimedGateway() {
  const clock = new FakeClock();
  const { store } = openQueueStore({
    clock,
    time: unknownTime("boot", clock),
    limits: { priorities: new Map([["alarm", 9]]) },
  });
  const asked = { waiting: 0, take: 0 };
  const forwarder = new Forwarder({
    outlet: counted(store, asked),
    identities: store.identities,
    links: { open: () => expect.unreachable() },
    settings: {
      batchEntries: 500,
      batchBytes: 100_000,
      batchRecordPeriodMs: 10_000,
      parallelUploads: 4,
      activationRetryMs: 300_000,
    },
    clock,
    random: Math.random,
    logger: silentLogger,
  });
  onTestFinished(() => forwarder.stop());
  return { clock, store, forwarder, asked };
}

function counted(store: QueueStore, asked: { waiting: number; take: number }): QueueOutlet {
  return {
    waiting: (identity) => {
      asked.waiting += 1;
      return store.waiting(identity);
    },
    onAppended: (listener) => store.onAppended(listener),
    take: (...call) => {
      asked.take += 1;
      return store.take(...call);
    },
    release: (batch) => store.release(batch),
    moveOn: (...call) => store.moveOn(...call),
    settle: (...call) => store.settle(...call),
    unreachable: (identity) => store.unreachable(identity),
    reachable: (identity) => store.reachable(identity),
  };
}

it("does not ask over and over for what nobody can date yet", async () => {
  const { clock, store, forwarder, asked } = untimedGateway();
  // What could go is not urgent, and what is urgent cannot go: a lane that holds something, and gives nothing.
  await store.append(record("a", "bulk", 1_000, ["1"]));
  await store.append(write("a", "alarm", clock.now(), "2"));
  await store.unreachable(1);
  store.reachable(1);
  forwarder.hold("all-but-urgent");
  forwarder.start();
  await clock.advance(10_000);
  expect(asked.take).toBeGreaterThan(0);
  expect(asked.take).toBeLessThan(15);
});

it("looks once a second at most while all there is waits for the time, and misses nothing that can go", async () => {
  const { clock, store, forwarder, asked } = untimedGateway();
  forwarder.start();
  for (let index = 0; index < 50; index++) {
    await store.append(write("a", "level", clock.now(), `${index}`));
    await clock.advance(10);
  }
  const looks = asked.waiting;
  expect(looks).toBeLessThan(5);
  await clock.advance(60_000);
  // Once more for what came since, and then not until there is something new.
  expect(asked.waiting).toBe(looks + 1);
  await store.append(write("a", "level", clock.now(), "51"));
  await store.append(record("a", "bulk", clock.now(), ["1"]));
  await clock.advance(12_000);
  expect(asked.take).toBe(1);
});
