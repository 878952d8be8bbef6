import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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
  expect(existsSync(file)).toBe(false);
  expect(reserve.isEnough()).toBe(false);
  await reserve.restore();
  expect(reserve.isEnough()).toBe(true);
});

it("is found by the next run, whole or begun", async () => {
  const { file, make } = setUp();
  await make().restore();
  const found = make();
  expect(found.release()).toBe(true);
  writeFileSync(file, "begun");
  await found.restore();
  expect(statSync(file).size).toBe(bytes);
});

it("leaves nothing behind where it is let go of while it is being taken", async () => {
  const { file, make } = setUp();
  const reserve = make();
  const taken = reserve.restore();
  reserve.release();
  await taken;
  expect(existsSync(file)).toBe(false);
  expect(reserve.isEnough()).toBe(false);
});
