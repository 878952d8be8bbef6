import { expect, it } from "vitest";
import { silentLogger } from "../../../src/core/logger.ts";
import { ServiceWatchdog } from "../../../src/daemon/service-watchdog.ts";
import { FakeClock } from "../../support/fake-clock.ts";

function watch(watchdogMs: number | undefined) {
  const clock = new FakeClock();
  const told: string[] = [];
  const state: { trouble?: string } = {};
  const watchdog = new ServiceWatchdog({
    notifier: {
      watchdogMs,
      notify: (text) => {
        told.push(text);
        return Promise.resolve("");
      },
    },
    trouble: () => state.trouble,
    clock,
    logger: silentLogger,
  });
  return { clock, told, state, watchdog };
}

it("feeds three times in a period while all is well, and no more once something hangs", async () => {
  const { clock, told, state, watchdog } = watch(90_000);
  watchdog.start();
  await clock.advance(89_999);
  expect(told).toEqual(["WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"]);
  state.trouble = "the check-in loop hangs";
  await clock.advance(600_000);
  expect(told).toHaveLength(3);
  watchdog.stop();
});

it("without a watchdog it only tells that the engine is ready", async () => {
  const { clock, told, watchdog } = watch(undefined);
  watchdog.start();
  await watchdog.ready();
  await clock.advance(600_000);
  expect(told).toEqual(["READY=1"]);
});
