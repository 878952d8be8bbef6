import { describe, expect, it, onTestFinished } from "vitest";
import { silentLogger } from "../../../src/core/logger.ts";
import {
  type LongPollAnswer,
  type LongPollOptions,
  UnauthorizedError,
} from "../../../src/device-client/index.ts";
import { watchForCommands } from "../../../src/engine/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";

function watch(answer: (options: LongPollOptions, clock: FakeClock) => Promise<LongPollAnswer>) {
  const clock = new FakeClock(0);
  const seen = {
    polls: [] as LongPollOptions[],
    commands: 0,
    unauthorized: 0,
    checkedIn: 50_000 as number | undefined,
  };
  const stop = new AbortController();
  const running = watchForCommands(
    {
      api: {
        longPoll: (_alias, options) => {
          seen.polls.push(options);
          return answer(options, clock);
        },
      },
      checkedInUntilMs: () => seen.checkedIn,
      onCommand: () => {
        seen.commands += 1;
      },
      onUnauthorized: () => {
        seen.unauthorized += 1;
      },
      clock,
      random: () => 0,
      logger: silentLogger,
      timeoutMs: 300_000,
    },
    stop.signal,
  );
  onTestFinished(async () => {
    stop.abort();
    await running;
  });
  return { clock, seen };
}

const unchanged: LongPollAnswer = { changed: false, serverTimeMs: undefined };
const hold = async ({ timeoutMs, signal }: LongPollOptions, clock: FakeClock): Promise<LongPollAnswer> => {
  await clock.sleep(timeoutMs, signal);
  return unchanged;
};

describe("the watch for commands", () => {
  it("waits for the first check-in, and then misses nothing written since", async () => {
    const { clock, seen } = watch(hold);
    seen.checkedIn = undefined;
    const late = watch(hold);
    await clock.advance(5_000);
    expect(late.seen.polls[0]?.sinceMs).toBe(49_000);
    expect(seen.polls.length).toBeLessThanOrEqual(1);
  });

  it("polls again at once where the server holds polls as asked", async () => {
    const { clock, seen } = watch(hold);
    await clock.advance(900_000);
    expect(seen.polls).toHaveLength(4);
  });

  it("does not spin on a server that answers every poll at once", async () => {
    const { clock, seen } = watch(async () => unchanged);
    await clock.advance(3_600_000);
    expect(seen.polls.length).toBeLessThan(25);
  });

  it("tells of a value once and does not spin, though the server gives it again and again", async () => {
    const { clock, seen } = watch(async () => ({
      changed: true,
      value: "install A",
      lastModifiedMs: undefined,
      serverTimeMs: undefined,
    }));
    await clock.advance(3_600_000);
    expect(seen.commands).toBe(1);
    expect(seen.polls.length).toBeLessThan(25);
  });

  it("passes each new value on at once, and asks from there on", async () => {
    let number = 0;
    const { clock, seen } = watch(async (options, time) => {
      if (number >= 5) return hold(options, time);
      number += 1;
      const lastModifiedMs = 60_000 + number * 1_000;
      return { changed: true, value: `install ${number}`, lastModifiedMs, serverTimeMs: undefined };
    });
    await clock.advance(100);
    expect(seen.commands).toBe(5);
    expect(seen.polls.at(-1)?.sinceMs).toBe(65_000);
  });

  it("leaves a 401 to the check-in, and asks again with growing pauses", async () => {
    const { clock, seen } = watch(() =>
      Promise.reject(new UnauthorizedError("no", { procedure: "longPoll", status: 401 })),
    );
    await clock.advance(7_000);
    expect(seen.unauthorized).toBe(4);
    expect(seen.polls).toHaveLength(4);
  });
});
