import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { silentLogger } from "../../../src/core/logger.ts";
import { SpaceReserve } from "../../../src/platform/space-reserve.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { temporaryDirectory } from "../../support/temp-directory.ts";

const bytes = 300_000;

function setUp() {
  const file = join(temporaryDirectory(), "reserve");
  const make = () => new SpaceReserve({ file, bytes, clock: new FakeClock(), logger: silentLogger });
  return { file, make };
}

it("takes the space by writing it, and lets go of it", async () => {
  const { file, make } = setUp();
  const reserve = make();
  expect(reserve.release()).toBe(false);
  await reserve.restore();
  const { size, blocks } = statSync(file);
  expect(size).toBe(bytes);
  expect(blocks * 512).toBeGreaterThanOrEqual(bytes);
  expect(reserve.isEnough()).toBe(true);
  expect(reserve.release()).toBe(true);
  expect(statSync(file).blocks).toBe(0);
  expect(reserve.isEnough()).toBe(false);
  await reserve.restore();
  expect(reserve.isEnough()).toBe(true);
});

it("is found by the next run: held, let go of, or begun", async () => {
  const { file, make } = setUp();
  await make().restore();
  const second = make();
  expect(second.release()).toBe(true);
  const third = make();
  expect(third.release()).toBe(false);
  writeFileSync(`${file}.new`, "begun");
  await third.restore();
  expect(statSync(file).size).toBe(bytes);
  expect(readdirSync(dirname(file))).toEqual(["reserve"]);
});

it("gives what it has taken so far where it is let go of meanwhile", async () => {
  const { file, make } = setUp();
  const reserve = make();
  const taken = reserve.restore();
  expect(reserve.release()).toBe(false);
  await taken;
  // What was in the making was taken away under it, or had not begun yet.
  expect(existsSync(`${file}.new`)).toBe(false);
  await reserve.restore();
  expect(statSync(file).size).toBe(bytes);
});
