import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLogger } from "../../../../src/core/logger.ts";
import {
  CommandFollower,
  type FollowerParts,
  type Heard,
} from "../../../../src/emulator/commands/follower.ts";
import { LongPollHub } from "../../../../src/emulator/long-poll/hub.ts";
import { FakeClock } from "../../../support/fake-clock.ts";

let hub: LongPollHub;
let clock: FakeClock;
let rounds: (readonly Heard[])[];
let follower: CommandFollower;

beforeEach(() => {
  hub = new LongPollHub();
  clock = new FakeClock();
  rounds = [];
});
afterEach(() => follower.stop());

function follow(parts: Partial<FollowerParts> = {}, first: readonly number[] = []): void {
  follower = new CommandFollower({
    hub,
    clock,
    logger: silentLogger,
    subject: "test",
    isFollowed: (clientId) => clientId < 1_000,
    look: async (heard) => void rounds.push(heard),
    gatherMs: 100,
    ...parts,
  });
  follower.start(first);
}

test("looks at once at those it starts with, then at those that wrote, together after the gathering time", async () => {
  follow({}, [1]);
  await clock.advance(0);
  expect(rounds).toEqual([[{ clientId: 1, fetchBy: undefined }]]);
  await clock.advance(100);
  rounds = [];
  hub.changed(2, ["fetch_status", "engine_report"]);
  hub.changed(3, ["engine_fetch"], "owner");
  hub.changed(3, ["engine_fetch"], "device");
  await clock.advance(99);
  expect(rounds).toEqual([]);
  await clock.advance(1);
  expect(rounds).toEqual([
    [
      { clientId: 2, fetchBy: undefined },
      { clientId: 3, fetchBy: "owner" },
    ],
  ]);
});

test("hears neither the server itself, nor other aliases, nor clients that do not matter", async () => {
  follow();
  hub.changed(2, ["engine_fetch"], "server");
  hub.changed(2, ["engine_report"]);
  hub.changed(1_000, ["fetch_status"]);
  await clock.advance(1_000);
  expect(rounds).toEqual([]);
});

test("without a gathering time it looks at the end of the turn, without the clock", async () => {
  follow({ gatherMs: 0 });
  await clock.advance(0);
  hub.changed(2, ["fetch_status"]);
  hub.changed(3, ["fetch_status"]);
  await clock.advance(0);
  expect(rounds.map((heard) => heard.map(({ clientId }) => clientId))).toEqual([[2, 3]]);
});

test("looks at a hundred at a time, and does the rest of a round after them", async () => {
  follow(
    { afterwards: async () => void rounds.push([]) },
    Array.from({ length: 250 }, (_, id) => id),
  );
  await clock.advance(0);
  expect(rounds.map(({ length }) => length)).toEqual([100, 100, 50, 0]);
});

test("a round comes every so often where one is asked for, and when woken", async () => {
  let times = 0;
  follow({
    everyMs: 1_000,
    afterwards: async () => {
      times += 1;
    },
  });
  await clock.advance(2_000);
  expect(times).toBe(3);
  follower.wake();
  await clock.advance(100);
  expect(times).toBe(4);
});

test("those that could not be looked at come again, after the others, and keep who wrote first", async () => {
  let failing = true;
  follow(
    {
      look: async (heard) => {
        if (failing && heard.some(({ clientId }) => clientId === 7)) throw new Error("no database");
        rounds.push(heard);
      },
    },
    [],
  );
  await clock.advance(0);
  for (let id = 0; id < 150; id++) hub.changed(id, ["engine_fetch"], "owner");
  await clock.advance(100);
  expect(rounds).toEqual([]);
  hub.changed(7, ["engine_fetch"], "device");
  failing = false;
  await clock.advance(5_000);
  const looked = rounds.flat();
  expect(looked.map(({ clientId }) => clientId).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 150 }, (_, id) => id),
  );
  expect(looked.find(({ clientId }) => clientId === 7)?.fetchBy).toBe("owner");
  expect(rounds[0]?.some(({ clientId }) => clientId === 149)).toBe(true);
});

test("stopping waits for the look under way and begins no other", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  follow(
    {
      look: async (heard) => {
        rounds.push(heard);
        await promise;
      },
    },
    Array.from({ length: 250 }, (_, id) => id),
  );
  await clock.advance(0);
  let isStopped = false;
  const stopping = follower.stop().then(() => {
    isStopped = true;
  });
  await clock.advance(0);
  expect(isStopped).toBe(false);
  resolve();
  await stopping;
  expect(rounds).toHaveLength(1);
});
