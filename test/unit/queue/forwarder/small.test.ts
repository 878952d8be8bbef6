import { describe, expect, it } from "vitest";
import {
  ConflictError,
  MalformedAnswerError,
  NetworkError,
  RejectedError,
  TimeoutError,
} from "../../../../src/device-client/index.ts";
import { outcomeOf, resultName } from "../../../../src/queue/forwarder/outcome.ts";
import {
  afterAnswer,
  afterLoss,
  afterTooLarge,
  fullPace,
  limitsAt,
  restAfter,
} from "../../../../src/queue/forwarder/pace.ts";
import { Slots } from "../../../../src/queue/forwarder/slots.ts";
import { isGivenUp, refusedSince } from "../../../../src/queue/forwarder/unauthorized.ts";

const procedure = "record";
const full = { maxEntries: 1_000, maxBytes: 100_000 };

describe("what became of an upload", () => {
  it.each([400, 412, 413, 415])("is a refusal of its content at %i", (status) => {
    expect(outcomeOf(new RejectedError("no", { procedure, status, answer: "why" }))).toMatchObject({
      kind: "refused",
      refusal: { status, answer: "why" },
      isTooLarge: status === 413,
    });
  });

  it.each([403, 404, 405, 501])("says nothing of its content at %i, which may be a proxy's", (status) => {
    expect(outcomeOf(new RejectedError("no", { procedure, status }))).toMatchObject({ kind: "failed" });
  });

  it("is no success where a captive portal answers", () => {
    const portal = new MalformedAnswerError("a web page", { procedure, status: 200 });
    expect(outcomeOf(portal)).toMatchObject({ kind: "failed", failure: { kind: "transient" } });
  });

  it("names the seconds that were refused", () => {
    const timestamps = new Map([["a", [5]]]);
    expect(outcomeOf(new ConflictError("no", { procedure, status: 409, timestamps }))).toEqual({
      kind: "conflict",
      seconds: timestamps,
    });
  });

  it("is counted by its status, or by what went wrong", () => {
    expect(resultName(new RejectedError("", { procedure, status: 413 }))).toBe("413");
    expect(resultName(new NetworkError("", { procedure }))).toBe("network");
    expect(resultName(new TimeoutError("", { procedure, phase: "idle" }))).toBe("timeout");
  });
});

describe("the size of requests", () => {
  it("shrinks while requests are lost or slow, never below one entry, and grows back", () => {
    let pace = fullPace;
    for (let lost = 0; lost < 30; lost++) pace = afterLoss(pace);
    expect(limitsAt(pace, full).maxEntries).toBe(1);
    expect(limitsAt(afterAnswer(fullPace, 20_000), full).maxEntries).toBe(500);
    for (let quick = 0; quick < 12; quick++) pace = afterAnswer(pace, 50);
    expect(limitsAt(pace, full)).toEqual(full);
  });

  it("stays below what the server called too large", () => {
    const pace = afterTooLarge(fullPace, 60_000);
    expect(limitsAt(afterAnswer(pace, 1), full)).toEqual({ ...full, maxBytes: 30_000 });
  });

  it("leaves apps that write much part of the processor, and nothing to those that do not", () => {
    expect(restAfter(30, 5)).toBe(30);
    expect(restAfter(200, 30)).toBe(40);
    expect(restAfter(30, 1)).toBe(0);
    expect(restAfter(2_000, 30)).toBe(0);
    expect(restAfter(0, 5)).toBe(0);
  });
});

describe("a day of refusals", () => {
  const day = 86_400_000;
  const at = (nowMs: number, monotonicMs: number) => ({ nowMs, monotonicMs });
  const start = Date.UTC(2026, 10, 1);

  it("is over after 24 hours", () => {
    const since = refusedSince(undefined, undefined, at(start, 0));
    expect(refusedSince(since, at(start, 0), at(start + day / 2, day / 2))).toBe(since);
    expect(isGivenUp(since, start + day - 1)).toBe(false);
    expect(isGivenUp(since, start + day)).toBe(true);
  });

  it("is not made shorter by a clock that was set from 1970, in this run or the one before", () => {
    const since = refusedSince(undefined, undefined, at(60_000, 60_000));
    const now = at(start, 120_000);
    const moved = refusedSince(since, at(60_000, 60_000), now);
    expect(now.nowMs - moved).toBe(60_000);
    expect(refusedSince(since, undefined, now)).toBe(now.nowMs);
  });

  it("is not made longer by a clock that was set back", () => {
    const since = refusedSince(undefined, undefined, at(start, 0));
    const moved = refusedSince(since, at(start, 0), at(start - 10 * day, day));
    expect(start - 10 * day - moved).toBe(day);
    expect(refusedSince(since, undefined, at(start - 1, 0))).toBe(start - 1);
  });
});

describe("slots", () => {
  it("let so many run at a time, and more as soon as more are allowed", async () => {
    let allowed = 2;
    const slots = new Slots(() => allowed);
    let running = 0;
    let most = 0;
    const ends: (() => void)[] = [];
    const work = () =>
      slots.use(async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise<void>((resolve) => ends.push(resolve));
        running -= 1;
      });
    const all = Array.from({ length: 6 }, work);
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    await turn();
    expect(running).toBe(2);
    allowed = 4;
    ends.shift()?.();
    await turn();
    expect(running).toBe(4);
    while (ends.length > 0) {
      ends.shift()?.();
      await turn();
    }
    await Promise.all(all);
    expect(most).toBe(4);
  });

  it("are free again after a task that fails", async () => {
    const slots = new Slots(() => 1);
    await expect(slots.use(() => Promise.reject(new TypeError("broken")))).rejects.toThrow("broken");
    expect(await slots.use(async () => "next")).toBe("next");
  });
});
