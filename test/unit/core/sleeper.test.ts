import { expect, test } from "vitest";
import { Sleeper } from "../../../src/core/sleeper.ts";
import { FakeClock } from "../../support/fake-clock.ts";

function asleep(sleeper: Sleeper, ms: number): { isAwake: boolean } {
  const sleep = { isAwake: false };
  void sleeper.sleep(ms).then(() => {
    sleep.isAwake = true;
  });
  return sleep;
}

test("a sleep ends in time, or when it is cut short", async () => {
  const clock = new FakeClock();
  const sleeper = new Sleeper(clock);
  const first = asleep(sleeper, 1_000);
  await clock.advance(999);
  expect(first.isAwake).toBe(false);
  await clock.advance(1);
  expect(first.isAwake).toBe(true);
  const second = asleep(sleeper, Number.POSITIVE_INFINITY);
  await clock.advance(1_000);
  expect(second.isAwake).toBe(false);
  sleeper.wake();
  await clock.advance(0);
  expect(second.isAwake).toBe(true);
});

test("who is woken while awake does not fall asleep, once", async () => {
  const clock = new FakeClock();
  const sleeper = new Sleeper(clock);
  sleeper.wake();
  sleeper.wake();
  const first = asleep(sleeper, 1_000);
  await clock.advance(0);
  expect(first.isAwake).toBe(true);
  const second = asleep(sleeper, 1_000);
  await clock.advance(999);
  expect(second.isAwake).toBe(false);
});
