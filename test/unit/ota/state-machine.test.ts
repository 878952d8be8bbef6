import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseJobState } from "../../../src/ota/schema.ts";
import {
  type Fallback,
  isCancellable,
  isEnd,
  type JobEvent,
  type JobProgress,
  type JobState,
  type KeptVersion,
  maxProbationResumes,
  maxTransitions,
  transition,
  type UnpackedApp,
} from "../../../src/ota/state-machine.ts";

const app: UnpackedApp = { directory: "/apps/meter/2", kind: "long-running", installer: "install.sh" };
const oneOff: UnpackedApp = { ...app, kind: "one-off" };
const result = { exitCode: 0, output: "done\n", outputBytesCut: 0 };
const kept: KeptVersion = {
  version: "1",
  directory: "/apps/meter/1",
  kind: "long-running",
  installer: "install.sh",
};
const fallback: Fallback = { kind: "version", version: kept };
const process = { pid: 42, startTicks: 7, bootId: "boot" };

const event: fc.Arbitrary<JobEvent> = fc.oneof(
  fc.constant<JobEvent>({ type: "released" }),
  fc
    .constantFrom("content" as const, "file" as const, "task" as const)
    .map((source): JobEvent => ({ type: "begun", source })),
  fc.constant<JobEvent>({ type: "downloaded", sizeBytes: 10, sha256: null }),
  fc.constant<JobEvent>({ type: "package-lost" }),
  fc.constant<JobEvent>({ type: "verified" }),
  fc
    .tuple(
      fc.constantFrom(app, oneOff),
      fc.constantFrom<Fallback>(fallback, { kind: "none" }, { kind: "unknown" }),
    )
    .map(([unpacked, back]): JobEvent => ({ type: "unpacked", app: unpacked, fallback: back })),
  fc.constant<JobEvent>({ type: "script-started", process }),
  fc.constant<JobEvent>({ type: "installed", result }),
  fc.boolean().map((probation): JobEvent => ({ type: "activated", note: "", probation })),
  fc.constant<JobEvent>({ type: "proved", note: "" }),
  fc.constant<JobEvent>({ type: "rollback-chosen", to: kept, note: "asked for" }),
  fc.constant<JobEvent>({ type: "rolled-back", note: "", result }),
  fc.constant<JobEvent>({ type: "performed", note: "", result }),
  fc.constant<JobEvent>({ type: "failed", note: "why", result }),
  fc.constant<JobEvent>({ type: "settings-noted", before: { probation: "" }, after: { probation: "60" } }),
  fc.nat(600_000).map((waitedMs): JobEvent => ({ type: "waited", waitedMs })),
  fc.constant<JobEvent>({ type: "resumed" }),
  fc.constant<JobEvent>({ type: "resumed" }),
);
const failure: JobEvent = { type: "failed", note: "why", result };
const callingOff = fc.constant<JobEvent>({ type: "cancelled", note: "called off" });

const start: JobProgress = { state: { phase: "received" }, transitions: 0 };
const leadsTo = (state: JobState, ...events: readonly JobEvent[]): JobState =>
  events.reduce(transition, { state, transitions: 0 } as JobProgress).state;

describe("a job", () => {
  it("goes from received to committed", () => {
    const events: JobEvent[] = [
      { type: "released" },
      { type: "begun", source: "content" },
      { type: "downloaded", sizeBytes: 10, sha256: null },
      { type: "verified" },
      { type: "unpacked", app, fallback },
      { type: "script-started", process },
      { type: "installed", result },
      { type: "activated", note: "note", probation: true },
      { type: "script-started", process },
      { type: "proved", note: "" },
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
      "probation",
      "probation",
      "committed",
    ]);
  });

  it("ends after at most 40 transitions and then stays, whatever happens", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ arbitrary: event, weight: 30 }, callingOff), { maxLength: 300 }),
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
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const { state } = events.reduce(transition, start);
        // Twice: a version that fails is rolled back, and a rollback that fails is the end.
        return isEnd(leadsTo(state, failure, failure));
      }),
    );
  });

  it("can be called off until its first script, and not after", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 20 }), callingOff, (events, cancel) => {
        const { state } = events.reduce(transition, start);
        const after = leadsTo(state, cancel);
        return isCancellable(state) ? after.phase === "cancelled" : after === state;
      }),
    );
  });

  it("is unchanged by a crash, or ended, put on its way back, or has its script run again", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        const { state } = events.reduce(transition, start);
        const { phase } = leadsTo(state, { type: "resumed" });
        const allowed = ["interrupted", "failed", "rolling-back"];
        if (state.phase === "trying") allowed.push("restoring");
        expect([state.phase, ...allowed]).toContain(phase);
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
    const state = leadsTo(
      { phase: "installing", app: oneOff, fallback, process, starts: 1 },
      { type: "resumed" },
    );
    expect(state.phase).toBe("interrupted");
  });

  it("before a one-off's installer began lets it run", () => {
    const state: JobState = { phase: "installing", app: oneOff, fallback, process: null, starts: 0 };
    expect(leadsTo(state, { type: "resumed" })).toEqual(state);
  });

  it("while any other installer runs has it run again", () => {
    expect(leadsTo({ phase: "installing", app, fallback, process, starts: 1 }, { type: "resumed" })).toEqual({
      phase: "installing",
      app,
      fallback,
      process: null,
      starts: 1,
    });
  });

  it("that each run of an installer ends in (it may hold a reboot) is not provoked for ever", () => {
    let state: JobState = leadsTo(
      { phase: "unpacking", sizeBytes: 5 },
      { type: "unpacked", app, fallback: { kind: "none" } },
    );
    const script: JobEvent = { type: "script-started", process };
    let runs = 0;
    for (; !isEnd(state) && runs < 100; runs++) {
      state = leadsTo(state, script, script, { type: "resumed" });
    }
    expect(runs).toBe(3);
    expect(state).toMatchObject({
      phase: "failed",
      note: expect.stringMatching(/went down each of the 3 times/),
    });
  });

  it("before which an installer had been started by a version that did not count has it run again", () => {
    const state = parseJobState(JSON.stringify({ phase: "installing", app, process }));
    expect(state).toMatchObject({ phase: "installing", starts: 0, fallback: { kind: "unknown" } });
  });

  it("during a probation has it start over, but not for ever", () => {
    let state: JobState = { phase: "probation", app, fallback, result, process, resumes: 0 };
    let crashes = 0;
    for (; state.phase === "probation"; crashes++) state = leadsTo(state, { type: "resumed" });
    expect(crashes).toBe(maxProbationResumes);
    expect(state).toMatchObject({ phase: "rolling-back", to: kept, deployed: true });
  });

  it("during a rollback has it done again", () => {
    const state = leadsTo({ phase: "activating", app, fallback, result }, failure);
    const started = leadsTo(state, { type: "script-started", process });
    expect(leadsTo(started, { type: "resumed" })).toEqual(state);
  });
});

describe("a failure", () => {
  const installing: JobState = { phase: "installing", app, fallback, process, starts: 1 };

  it("of an installer puts the files of the earlier version right, which still runs", () => {
    expect(leadsTo(installing, failure)).toMatchObject({ phase: "rolling-back", to: kept, deployed: false });
  });

  it("before any script ran, of a one-off, or with nothing to run again leaves all as it is", () => {
    const nothing: Fallback = { kind: "version", version: { ...kept, installer: null } };
    for (const state of [
      { ...installing, process: null, starts: 0 },
      { ...installing, app: oneOff },
      { ...installing, fallback: nothing },
      { ...installing, fallback: { kind: "none" } as const },
    ]) {
      expect(leadsTo(state, failure).phase).toBe("failed");
    }
  });

  it("of a new app has it withdrawn, and ends as a failure that says why", () => {
    const state = leadsTo({ phase: "activating", app, fallback: { kind: "none" }, result }, failure);
    expect(state).toMatchObject({ phase: "rolling-back", to: null });
    expect(leadsTo(state, { type: "rolled-back", note: "withdrawn", result })).toEqual({
      phase: "failed",
      note: "why; withdrawn",
      result,
    });
  });

  it("whose journal does not tell what was there before leaves what is there", () => {
    const state = parseJobState(JSON.stringify({ phase: "activating", app, result }));
    expect(leadsTo(state ?? start.state, failure).phase).toBe("failed");
  });

  it("of a rollback is an end that tells both", () => {
    const state = leadsTo(installing, failure, { type: "failed", note: "no python", result });
    expect(state).toEqual({ phase: "failed", note: "why; the rollback failed: no python", result });
  });
});

describe("a lost package", () => {
  it("is downloaded again", () => {
    expect(leadsTo({ phase: "unpacking", sizeBytes: 5 }, { type: "package-lost" }).phase).toBe("downloading");
  });

  it("that was the caller's own file is a failure", () => {
    expect(
      leadsTo({ phase: "verifying", sizeBytes: null, sha256: null }, { type: "package-lost" }).phase,
    ).toBe("failed");
  });
});

it("a state of another version of the journal is not misread", () => {
  expect(parseJobState('{"phase":"levitating"}')).toBeUndefined();
  expect(parseJobState("not JSON")).toBeUndefined();
  const verifying = { phase: "verifying", sizeBytes: 5, sha256: null };
  expect(parseJobState('{"phase":"verifying","sizeBytes":5}')).toEqual(verifying);
});

describe("new settings", () => {
  const before = { server_url: "https://a.example" };
  const after = { server_url: "https://b.example" };
  const begun: JobState = leadsTo(
    { phase: "performing", process: null },
    { type: "settings-noted", before, after },
  );

  it("never go on without the old ones being put back, unless a check-in proved them", () => {
    const trialEvent = event.filter(({ type }) => type !== "proved");
    fc.assert(
      fc.property(fc.array(trialEvent, { maxLength: 20 }), (events) => {
        const states = events.map((_, index) => leadsTo(begun, ...events.slice(0, index + 1)));
        const ended = states.find(isEnd);
        if (ended === undefined || ended.phase === "failed") return;
        expect(ended.phase).toBe("rolled-back");
        expect(states.map(({ phase }) => phase)).toContain("restoring");
      }),
    );
  });

  it("keep what has been waited across a crash, and go back at the fifth", () => {
    const resumed: JobEvent = { type: "resumed" };
    const waited: JobEvent = { type: "waited", waitedMs: 60_000 };
    expect(leadsTo(begun, waited, resumed)).toMatchObject({
      phase: "trying",
      waitedMs: 60_000,
      before,
      after,
    });
    expect(leadsTo(begun, resumed, resumed, waited, resumed, resumed).phase).toBe("trying");
    expect(leadsTo(begun, resumed, resumed, waited, resumed, resumed, resumed)).toMatchObject({
      phase: "restoring",
      before,
      note: expect.stringContaining("went down 5 times"),
    });
  });

  it("are put back however often that is interrupted", () => {
    const crashes = Array.from({ length: 100 }, (): JobEvent => ({ type: "resumed" }));
    const restoring = leadsTo(begun, { type: "failed", note: "no check-in", result });
    const state = leadsTo(restoring, ...crashes);
    expect(state).toMatchObject({ phase: "restoring", before });
    expect(leadsTo(state, { type: "rolled-back", note: "put back", result })).toMatchObject({
      phase: "rolled-back",
      note: "no check-in; put back",
    });
  });
});
