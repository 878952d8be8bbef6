import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseJobState } from "../../../src/ota/schema.ts";
import {
  isEnd,
  type JobEvent,
  type JobProgress,
  type JobState,
  maxTransitions,
  transition,
  type UnpackedApp,
} from "../../../src/ota/state-machine.ts";

const app: UnpackedApp = { directory: "/apps/meter/2", kind: "long-running", installer: "install.sh" };
const oneOff: UnpackedApp = { ...app, kind: "one-off" };
const result = { exitCode: 0, output: "done\n", outputBytesCut: 0 };
const process = { pid: 42, startTicks: 7, bootId: "boot" };

const event: fc.Arbitrary<JobEvent> = fc.oneof(
  fc.constant<JobEvent>({ type: "released" }),
  fc.constantFrom("content" as const, "file" as const).map((source): JobEvent => ({ type: "begun", source })),
  fc.constant<JobEvent>({ type: "downloaded", sizeBytes: 10 }),
  fc.constant<JobEvent>({ type: "package-lost" }),
  fc.constant<JobEvent>({ type: "verified" }),
  fc.constantFrom(app, oneOff).map((unpacked): JobEvent => ({ type: "unpacked", app: unpacked })),
  fc.constant<JobEvent>({ type: "installer-started", process }),
  fc.constant<JobEvent>({ type: "installed", result }),
  fc.constant<JobEvent>({ type: "activated", note: "" }),
  fc.constant<JobEvent>({ type: "resumed" }),
  fc.constant<JobEvent>({ type: "resumed" }),
);
const failure = fc.constant<JobEvent>({ type: "failed", note: "why", result });

const start: JobProgress = { state: { phase: "received" }, transitions: 0 };
const leadsTo = (state: JobState, ...events: readonly JobEvent[]): JobState =>
  events.reduce(transition, { state, transitions: 0 } as JobProgress).state;

describe("a job", () => {
  it("goes from received to committed", () => {
    const events: JobEvent[] = [
      { type: "released" },
      { type: "begun", source: "content" },
      { type: "downloaded", sizeBytes: 10 },
      { type: "verified" },
      { type: "unpacked", app },
      { type: "installer-started", process },
      { type: "installed", result },
      { type: "activated", note: "note" },
    ];
    const phases = events.map((_, index) => leadsTo(start.state, ...events.slice(0, index + 1)).phase);
    expect(phases).toEqual([
      "queued",
      "downloading",
      "verifying",
      "unpacking",
      "installing",
      "installing",
      "activating",
      "committed",
    ]);
  });

  it("ends after at most 40 transitions and then stays, whatever happens", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ arbitrary: event, weight: 20 }, failure), { maxLength: 300 }),
        (events) => {
          let job = start;
          for (const next of events) {
            const before = job;
            job = transition(job, next);
            if (isEnd(before.state) && job !== before) return false;
            if (job !== before && job.transitions !== before.transitions + 1) return false;
          }
          return job.transitions <= maxTransitions && (job.transitions < maxTransitions || isEnd(job.state));
        },
      ),
    );
  });

  it("can fail in every state, so that none is without a way out", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), failure, (events, fail) => {
        const state = events.reduce(transition, start).state;
        return isEnd(transition({ state, transitions: 0 }, fail).state);
      }),
    );
  });

  it("reads back from the journal as it was written", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const { state } = events.reduce(transition, start);
        expect(parseJobState(JSON.stringify(state))).toEqual(state);
      }),
    );
  });
});

describe("a crash", () => {
  it("while a one-off's installer runs interrupts it", () => {
    const state = leadsTo({ phase: "installing", app: oneOff, process, starts: 1 }, { type: "resumed" });
    expect(state.phase).toBe("interrupted");
  });

  it("before a one-off's installer began lets it run", () => {
    const state: JobState = { phase: "installing", app: oneOff, process: null, starts: 0 };
    expect(leadsTo(state, { type: "resumed" })).toEqual(state);
  });

  it("while any other installer runs has it run again", () => {
    expect(leadsTo({ phase: "installing", app, process, starts: 1 }, { type: "resumed" })).toEqual({
      phase: "installing",
      app,
      process: null,
      starts: 1,
    });
  });

  it("that each run of an installer ends in (it may hold a reboot) is not provoked for ever", () => {
    let state: JobState = leadsTo({ phase: "unpacking", sizeBytes: 5 }, { type: "unpacked", app });
    let runs = 0;
    for (; !isEnd(state) && runs < 100; runs++) {
      state = leadsTo(state, { type: "installer-started", process }, { type: "resumed" });
    }
    expect(runs).toBe(3);
    expect(state).toMatchObject({
      phase: "failed",
      note: expect.stringMatching(/went down each of the 3 times/),
    });
  });

  it("before which an installer had been started by a version that did not count has it run again", () => {
    const state = parseJobState(JSON.stringify({ phase: "installing", app, process }));
    expect(state).toMatchObject({ phase: "installing", starts: 0 });
  });
});

describe("a lost package", () => {
  it("is downloaded again", () => {
    expect(leadsTo({ phase: "unpacking", sizeBytes: 5 }, { type: "package-lost" }).phase).toBe("downloading");
  });

  it("that was the caller's own file is a failure", () => {
    expect(leadsTo({ phase: "verifying", sizeBytes: null }, { type: "package-lost" }).phase).toBe("failed");
  });
});

it("a state of another version of the journal is not misread", () => {
  expect(parseJobState('{"phase":"probation"}')).toBeUndefined();
  expect(parseJobState("not JSON")).toBeUndefined();
});
