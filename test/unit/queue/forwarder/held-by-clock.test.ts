import { expect, it, onTestFinished } from "vitest";
import { silentLogger } from "../../../../src/core/logger.ts";
import { Forwarder, type QueueOutlet } from "../../../../src/queue/index.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { openQueueStore, record, write } from "../../../support/queue-store.ts";
import { unknownTime } from "../../../support/true-time.ts";

it("does not ask over and over for what nobody can date yet", async () => {
  const clock = new FakeClock();
  const { store } = openQueueStore({
    clock,
    time: unknownTime("boot", clock),
    limits: { priorities: new Map([["alarm", 9]]) },
  });
  // What could go is not urgent, and what is urgent cannot go: a lane that holds something, and gives nothing.
  await store.append(record("a", "bulk", 1_000, ["1"]));
  await store.append(write("a", "alarm", clock.now(), "2"));
  await store.unreachable(1);
  store.reachable(1);
  let takes = 0;
  const outlet: QueueOutlet = {
    waiting: (identity) => store.waiting(identity),
    onAppended: (listener) => store.onAppended(listener),
    take: (...call) => {
      takes += 1;
      return store.take(...call);
    },
    release: (batch) => store.release(batch),
    moveOn: (...call) => store.moveOn(...call),
    settle: (...call) => store.settle(...call),
    unreachable: (identity) => store.unreachable(identity),
    reachable: (identity) => store.reachable(identity),
  };
  const forwarder = new Forwarder({
    outlet,
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
  forwarder.hold("all-but-urgent");
  forwarder.start();
  onTestFinished(() => forwarder.stop());
  await clock.advance(10_000);
  expect(takes).toBeGreaterThan(0);
  expect(takes).toBeLessThan(15);
});
