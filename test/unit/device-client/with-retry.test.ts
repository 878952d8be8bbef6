import { describe, expect, test } from "vitest";
import type { Clock } from "../../../src/core/clock.ts";
import {
  ConflictError,
  type DeviceApi,
  MalformedAnswerError,
  NetworkError,
  RateLimitedError,
  RejectedError,
  ServerError,
  TimeoutError,
  UnauthorizedError,
  withRetry,
} from "../../../src/device-client/index.ts";

const details = { procedure: "read" } as const;
const unreachable = new NetworkError("refused", { ...details, requestSent: false });
const cut = new NetworkError("cut", { ...details, requestSent: true });
const late = new TimeoutError("late", { ...details, phase: "idle", requestSent: true });
const busy = new ServerError("busy", { ...details, status: 503, retryAfterMs: 7_000 });
const slowDown = new RateLimitedError("slow", { ...details, status: 429, retryAfterMs: 5_000 });
const portal = new MalformedAnswerError("portal", details);
const schedule = { firstDelayMs: 1_000, maxDelayMs: 60_000, factor: 2, jitter: 0 };

/** An API whose every call fails with the next of `errors`, then succeeds with `undefined`. */
function failing(...errors: unknown[]): { api: DeviceApi; calls: string[] } {
  const calls: string[] = [];
  const api = new Proxy({} as DeviceApi, {
    get: (_target, procedure: string) => async () => {
      calls.push(procedure);
      if (errors.length > 0) throw errors.shift();
    },
  });
  return { api, calls };
}

/** Time that passes by being slept through. */
function sleeper(onSleep: () => void = () => undefined): Clock & { pauses: number[] } {
  const pauses: number[] = [];
  const sleep = async (ms: number, signal?: AbortSignal) => {
    pauses.push(ms);
    onSleep();
    signal?.throwIfAborted();
  };
  return { pauses, sleep, now: () => 0, monotonic: () => 0 };
}

function retrying(api: DeviceApi, clock: Clock, attempts = 5): DeviceApi {
  return withRetry(api, { schedule, clock, random: () => 0.5, attempts });
}

const repeated: Record<string, (api: DeviceApi) => Promise<unknown>> = {
  read: (api) => api.read(["a"]),
  "writeRead of nothing": (api) => api.writeRead({}, ["a"]),
  longPoll: (api) => api.longPoll("a", { timeoutMs: 1 }),
  record: (api) => api.record([{ alias: "a", points: [[1, "x"]] }]),
  recordAlias: (api) => api.recordAlias("a", [[1, "x"]]),
  "rpc of reads": (api) => api.rpc([{ procedure: "read", arguments: [] }]),
  readHistory: (api) => api.readHistory("a"),
  listContent: (api) => api.listContent(),
  contentInfo: (api) => api.contentInfo("x"),
  download: (api) => api.download({ id: "x" }),
  timestamp: (api) => api.timestamp(),
};

const unsafe: Record<string, (api: DeviceApi) => Promise<unknown>> = {
  write: (api) => api.write({ a: "1" }),
  writeRead: (api) => api.writeRead({ a: "1" }, ["a"]),
  activate: (api) => api.activate({ id: "serial" }),
  "rpc with a write": (api) =>
    api.rpc([
      { procedure: "read", arguments: [] },
      { procedure: "write", arguments: [] },
    ]),
};

describe("retrying", () => {
  test.each(Object.entries(repeated))("%s is repeated after anything that may pass", async (_name, call) => {
    const { api, calls } = failing(unreachable, cut, late, portal);
    const clock = sleeper();
    await call(retrying(api, clock));
    expect(calls).toHaveLength(5);
    expect(clock.pauses).toEqual([1_000, 2_000, 4_000, 8_000]);
  });

  test.each(Object.entries(unsafe))(
    "%s is repeated only when Murano cannot have heard it",
    async (_name, call) => {
      const heardNothing = failing(unreachable, slowDown);
      await call(retrying(heardNothing.api, sleeper()));
      expect(heardNothing.calls).toHaveLength(3);
      for (const error of [cut, late, busy, portal]) {
        const { api, calls } = failing(error);
        await expect(call(retrying(api, sleeper()))).rejects.toBe(error);
        expect(calls).toHaveLength(1);
      }
    },
  );

  test.each([
    new UnauthorizedError("401", details),
    new RejectedError("400", details),
    new ConflictError("409", details),
    new TypeError("a bug"),
  ])("nothing is repeated after %s", async (error) => {
    const { api, calls } = failing(error);
    await expect(retrying(api, sleeper()).read(["a"])).rejects.toBe(error);
    expect(calls).toHaveLength(1);
  });

  test("gives up after the given number of tries, with the last error", async () => {
    const { api, calls } = failing(cut, late, busy);
    await expect(retrying(api, sleeper(), 3).read(["a"])).rejects.toBe(busy);
    expect(calls).toHaveLength(3);
  });

  test("waits as long as the server asks, or longer where the schedule says so", async () => {
    const clock = sleeper();
    const { api } = failing(slowDown, busy, cut, cut, slowDown);
    await retrying(api, clock, 9).read(["a"]);
    expect(clock.pauses).toEqual([5_000, 7_000, 4_000, 8_000, 16_000]);
  });

  test("leaves it to the caller when the server asks for more than the schedule's longest pause", async () => {
    const later = new RateLimitedError("later", { ...details, retryAfterMs: 60_001 });
    const { api, calls } = failing(later);
    await expect(retrying(api, sleeper()).read(["a"])).rejects.toBe(later);
    expect(calls).toHaveLength(1);
  });

  test("an abort ends the pause with its reason", async () => {
    const controller = new AbortController();
    const { api, calls } = failing(cut, cut);
    const clock = sleeper(() => controller.abort("shutting down"));
    await expect(retrying(api, clock).read(["a"], { signal: controller.signal })).rejects.toBe(
      "shutting down",
    );
    expect(calls).toHaveLength(1);
  });
});
