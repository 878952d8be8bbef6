import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { judgeTrial, TakeOverJournal } from "../../../../src/cli/take-over/state.ts";
import { statesIn } from "../../../../src/cli/take-over/supervisord.ts";
import { moveFile } from "../../../../src/platform/move-file.ts";
import { temporaryDirectory } from "../../../support/temp-directory.ts";

describe("the trial of a take-over", () => {
  const facts = { trialMs: 0, limitMs: 600_000, hasCheckedIn: false, trouble: null, appsMissing: [] };

  it.each([
    [{}, { kind: "wait" }],
    [{ hasCheckedIn: true }, { kind: "commit" }],
    [{ hasCheckedIn: true, appsMissing: ["meter"] }, { kind: "wait" }],
    [{ trialMs: 600_000, hasCheckedIn: true }, { kind: "commit" }],
    [{ trialMs: 600_000 }, { kind: "restore", reason: "no check-in succeeded within 10 minutes" }],
    [
      { trialMs: 600_000, trouble: "401" },
      { kind: "restore", reason: "no check-in succeeded within 10 minutes: 401" },
    ],
    [
      { trialMs: 600_000, hasCheckedIn: true, appsMissing: ["meter"] },
      { kind: "restore", reason: "meter could not be taken over within 10 minutes" },
    ],
  ])("with %j: %j", (change, decision) => {
    expect(judgeTrial({ ...facts, ...change })).toEqual(decision);
  });
});

it("supervisord's states are read, and what is none of its answers is told from them", () => {
  const text =
    "meter                            RUNNING   pid 12, uptime 0:01:02\nthe:one_00   STOPPED   Not started\n";
  expect(statesIn(text)).toEqual({ meter: "RUNNING", "the:one_00": "STOPPED" });
  expect(statesIn("")).toEqual({});
  expect(statesIn("unix:///var/run/supervisor.sock no such file\n")).toBeUndefined();
});

describe("a file of the original", () => {
  it("is moved with its mode, also to where there is no directory yet, and may be moved again", () => {
    const directory = temporaryDirectory();
    const [from, to] = [join(directory, "a"), join(directory, "deep/er/a")];
    writeFileSync(from, "text", { mode: 0o750 });
    for (const _ of [1, 2]) moveFile(from, to);
    expect(readFileSync(to, "utf8")).toBe("text");
    expect(statSync(to).mode & 0o777).toBe(0o750);
    expect(statSync(from, { throwIfNoEntry: false })).toBeUndefined();
  });

  it("takes the place of a half of it that a power cut left", () => {
    const directory = temporaryDirectory();
    const [from, to] = [join(directory, "a"), join(directory, "b")];
    writeFileSync(from, "whole");
    for (const file of [to, `${to}.moving`]) writeFileSync(file, "ha");
    moveFile(from, to);
    expect(readFileSync(to, "utf8")).toBe("whole");
    expect(statSync(`${to}.moving`, { throwIfNoEntry: false })).toBeUndefined();
  });
});

it("a journal that is not understood is not taken for none", () => {
  const libDir = temporaryDirectory();
  const journal = new TakeOverJournal({ libDir });
  expect(journal.load()).toBeUndefined();
  mkdirSync(journal.directory);
  writeFileSync(join(journal.directory, "state.json"), '{"phase":"unheard-of"}');
  expect(() => journal.load()).toThrow("not understood");
});
