import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LauncherState } from "../../../src/supervisor/launcher/state-file.ts";
import { type ObservedProcess, planProcess, type WantedProcess } from "../../../src/supervisor/planner.ts";
import type { Pm2Entry } from "../../../src/supervisor/pm2/port.ts";

const running: WantedProcess = { generation: 7, run: true, retryDue: false };
const nothing: ObservedProcess = { entries: [], state: undefined, launcher: undefined, child: undefined };
const launcher = { pid: 100, startTicks: 5 };
const child = { pid: 101, startTicks: 6 };

function entry(overrides: Partial<Pm2Entry> = {}): Pm2Entry {
  return { id: 3, name: "meter", pid: 100, status: "online", generation: 7, priority: 999, ...overrides };
}

function noted(overrides: Partial<LauncherState> = {}): LauncherState {
  return {
    bootId: "b",
    generation: 7,
    state: "STARTING",
    sinceCs: 1,
    launcher: undefined,
    child: undefined,
    startSecs: 1,
    stopSignal: "TERM",
    stopWaitSecs: 10,
    stopAsGroup: false,
    killAsGroup: false,
    startedCs: 1,
    endedCs: undefined,
    exitStatus: undefined,
    signal: undefined,
    failures: 0,
    restarts: 0,
    final: false,
    detail: undefined,
    ...overrides,
  };
}

const start = { kind: "start", generation: 7 };

describe("one app", () => {
  test.each<[string, WantedProcess | undefined, Partial<ObservedProcess>, readonly object[]]>([
    ["runs as wanted: untouched", running, { entries: [entry()], state: noted(), launcher, child }, []],
    [
      "waits between two launchers: untouched",
      running,
      { entries: [entry({ pid: 0, status: "waiting restart" })] },
      [],
    ],
    ["is missing (a reboot, a new daemon): started", running, {}, [start]],
    [
      "has an old generation: replaced",
      running,
      { entries: [entry({ generation: 6 })] },
      [{ kind: "remove", id: 3 }, start],
    ],
    [
      "was started by somebody else: replaced",
      running,
      { entries: [entry({ generation: undefined })] },
      [{ kind: "remove", id: 3 }, start],
    ],
    [
      "is there twice: reduced to one",
      running,
      { entries: [entry(), entry({ id: 4, pid: 200 })], launcher, child },
      [{ kind: "remove", id: 4 }],
    ],
    [
      "runs but is wanted stopped: removed",
      { generation: 8, run: false, retryDue: false },
      { entries: [entry()] },
      [{ kind: "remove", id: 3 }],
    ],
    [
      "is unknown: removed and forgotten",
      undefined,
      { entries: [entry()] },
      [{ kind: "remove", id: 3 }, { kind: "forget" }],
    ],
    [
      "left orphans: ended before the start",
      running,
      { launcher, child },
      [{ kind: "end-strays", processes: [launcher, child] }, start],
    ],
    [
      "is stopped with an orphan: ended",
      { generation: 8, run: false, retryDue: false },
      { child },
      [{ kind: "end-strays", processes: [child] }],
    ],
    [
      "runs beside an orphaned launcher: that one ended",
      running,
      { entries: [entry({ pid: 300 })], launcher },
      [{ kind: "end-strays", processes: [launcher] }],
    ],
    [
      "gave up: left alone",
      running,
      { entries: [entry({ pid: 0, status: "stopped" })], state: noted({ state: "FATAL", final: true }) },
      [],
    ],
    [
      "gave up before the daemon was replaced: left alone",
      running,
      { state: noted({ state: "FATAL", final: true }) },
      [],
    ],
    [
      "gave up long ago: tried again",
      { ...running, retryDue: true },
      { entries: [entry({ pid: 0, status: "stopped" })], state: noted({ state: "FATAL", final: true }) },
      [{ kind: "remove", id: 3 }, start],
    ],
    [
      "ended for good long ago: left alone",
      { ...running, retryDue: true },
      { entries: [entry({ pid: 0, status: "stopped" })], state: noted({ state: "EXITED", final: true }) },
      [],
    ],
    [
      "gave up in an earlier generation: started",
      running,
      { state: noted({ state: "FATAL", final: true, generation: 6 }) },
      [start],
    ],
    [
      "was stopped behind our back: started again",
      running,
      { entries: [entry({ pid: 0, status: "stopped" })], state: noted({ state: "STOPPED" }) },
      [{ kind: "remove", id: 3 }, start],
    ],
  ])("%s", (_, wanted, observed, steps) => {
    expect(planProcess(wanted, { ...nothing, ...observed })).toEqual(steps);
  });
});

const process = fc.option(fc.record({ pid: fc.integer({ min: 2, max: 9 }), startTicks: fc.nat(3) }), {
  nil: undefined,
});
const observed = fc.record({
  entries: fc.uniqueArray(
    fc.record({
      id: fc.nat(9),
      name: fc.constant("meter"),
      pid: fc.option(fc.integer({ min: 2, max: 9 }), { nil: undefined }),
      status: fc.constantFrom("online", "launching", "stopping", "stopped", "errored", "waiting restart"),
      generation: fc.option(fc.nat(3), { nil: undefined }),
      priority: fc.constant(undefined),
    }),
    { selector: ({ id }) => id },
  ),
  state: fc.option(
    fc
      .record({
        generation: fc.nat(3),
        final: fc.boolean(),
        state: fc.constantFrom<LauncherState["state"]>("EXITED", "FATAL"),
      })
      .map(noted),
    { nil: undefined },
  ),
  launcher: process,
  child: process,
});
const wanted = fc.option(fc.record({ generation: fc.nat(3), run: fc.boolean(), retryDue: fc.boolean() }), {
  nil: undefined,
});

test("carried out, a plan leaves one instance or none, and nothing more to do", () => {
  fc.assert(
    fc.property(wanted, observed, (want, before) => {
      const steps = planProcess(want, before);
      let after: ObservedProcess = before;
      for (const step of steps) {
        if (step.kind === "remove") {
          after = { ...after, entries: after.entries.filter(({ id }) => id !== step.id) };
        } else if (step.kind === "end-strays") {
          after = { ...after, launcher: undefined, child: undefined };
        } else if (step.kind === "start") {
          // Never a start while anything else of the app may run.
          expect(after).toMatchObject({ entries: [], launcher: undefined, child: undefined });
          after = { ...after, entries: [entry({ id: 99, pid: 50, generation: step.generation })] };
        }
      }
      expect(planProcess(want, after).filter(({ kind }) => kind !== "forget")).toEqual([]);
      expect(after.entries.length).toBeLessThanOrEqual(want?.run ? 1 : 0);
      const isRetried = want?.retryDue === true && before.state?.state === "FATAL";
      const through =
        !isRetried && before.state?.final === true && before.state.generation === want?.generation;
      if (want?.run && !through) expect(after.entries).toHaveLength(1);
    }),
  );
});
