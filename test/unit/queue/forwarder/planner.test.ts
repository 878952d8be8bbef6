import { describe, expect, it } from "vitest";
import { planUpload, type UploadFacts } from "../../../../src/queue/forwarder/planner.ts";

const facts: UploadFacts = {
  nowMs: 1_000,
  notBeforeMs: 0,
  hasLive: false,
  backlog: undefined,
  isHeld: false,
  fullBatch: 100,
  longestWaitMs: 10_000,
  isCatchingUp: false,
  isHurried: false,
  lastLane: "backlog",
};
const fresh = { entries: 3, oldestWaitedMs: 4_000 };
const upload = (lane: "live" | "backlog") => ({ kind: "upload", lane });

describe("what is uploaded next", () => {
  it("is nothing where nothing waits", () => {
    expect(planUpload(facts)).toEqual({ kind: "idle" });
  });

  it("is nothing that the clock holds, and what else there is all the same", () => {
    expect(planUpload({ ...facts, isHeld: true })).toEqual({ kind: "held" });
    expect(planUpload({ ...facts, isHeld: true, hasLive: true })).toEqual(upload("live"));
  });

  it("is a record after batch_record_period, or as soon as there are batch_qty of them", () => {
    expect(planUpload({ ...facts, backlog: fresh })).toEqual({
      kind: "wait",
      forMs: 6_000,
      isBackoff: false,
    });
    expect(planUpload({ ...facts, backlog: { ...fresh, oldestWaitedMs: 10_000 } })).toEqual(
      upload("backlog"),
    );
    expect(planUpload({ ...facts, backlog: { ...fresh, entries: 100 } })).toEqual(upload("backlog"));
  });

  it("is a backlog without pauses, and everything when asked to drain", () => {
    expect(planUpload({ ...facts, backlog: fresh, isCatchingUp: true })).toEqual(upload("backlog"));
    expect(planUpload({ ...facts, backlog: fresh, isHurried: true })).toEqual(upload("backlog"));
  });

  it("is a live write at once, ahead of a backlog, whose turn comes next", () => {
    const both = { ...facts, hasLive: true, backlog: fresh, isCatchingUp: true };
    expect(planUpload(both)).toEqual(upload("live"));
    expect(planUpload({ ...both, lastLane: "live" })).toEqual(upload("backlog"));
    expect(planUpload({ ...both, isCatchingUp: false, lastLane: "live" })).toEqual(upload("live"));
  });

  it("is nothing before a backoff ends", () => {
    const waiting = { ...facts, hasLive: true, backlog: fresh, isHurried: true, notBeforeMs: 3_000 };
    expect(planUpload(waiting)).toEqual({ kind: "wait", forMs: 2_000, isBackoff: true });
  });
});
