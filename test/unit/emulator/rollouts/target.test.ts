import { describe, expect, test } from "vitest";
import { advance, type Seen } from "../../../../src/emulator/rollouts/target.ts";
import { canBeUndone, undoCommand } from "../../../../src/emulator/rollouts/undo.ts";

const nothing: Seen = { next: undefined, isByOwner: false, isOccupied: true, outcome: undefined };
const success = { state: "succeeded", detail: "meter 2 installed" } as const;

describe("a gateway that was given the command", () => {
  test("has taken it when it empties engine_fetch", () => {
    expect(advance("waiting", nothing, "running")).toBeUndefined();
    expect(advance("waiting", { ...nothing, next: "" }, "running")?.state).toBe("taken");
  });

  test("has lost it when an owner empties or overwrites engine_fetch", () => {
    expect(advance("waiting", { ...nothing, next: "", isByOwner: true }, "running")).toMatchObject({
      state: "replaced",
      detail: "withdrawn",
    });
    expect(advance("waiting", { ...nothing, next: "{}" }, "running")?.state).toBe("replaced");
  });

  test.each(["waiting", "taken", "silent", "withdrawn", "replaced"] as const)(
    "ends as it says, though it was %s",
    (state) => {
      expect(advance(state, { ...nothing, outcome: success }, "aborted")).toEqual(success);
    },
  );

  test("is given the way back when it succeeds during the rolling back", () => {
    expect(advance("taken", { ...nothing, outcome: success }, "rolling-back")?.state).toBe("undo-pending");
    const failure = { state: "failed", detail: "" } as const;
    expect(advance("taken", { ...nothing, outcome: failure }, "rolling-back")?.state).toBe("failed");
  });
});

test("a gateway where another command waits gets its own once that is taken", () => {
  expect(advance("blocked", nothing, "running")).toBeUndefined();
  expect(advance("blocked", { ...nothing, isOccupied: false }, "running")?.state).toBe("pending");
  expect(advance("undo-blocked", { ...nothing, isOccupied: false }, "rolling-back")?.state).toBe(
    "undo-pending",
  );
});

test("taking back ends as the gateway says", () => {
  expect(advance("undo-waiting", { ...nothing, next: "" }, "rolling-back")?.state).toBe("undo-taken");
  expect(advance("undo-taken", { ...nothing, outcome: success }, "rolling-back")?.state).toBe("undone");
  const failure = { state: "failed", detail: "no earlier version" } as const;
  expect(advance("undo-taken", { ...nothing, outcome: failure }, "rolling-back")).toEqual({
    state: "undo-failed",
    detail: "no earlier version",
  });
});

describe("the way back", () => {
  const command = { install: [{ name: "meter.v2.tar.gz" }, { name: "pump.ctl.v1-0.tar.gz" }] };

  test("is the version before, or none", () => {
    expect(undoCommand(command, { meter: "1" })).toEqual({ rollback: ["meter"], remove: ["pump.ctl"] });
    expect(undoCommand(command, { meter: "2", "pump.ctl": "1-0" })).toBeUndefined();
    expect(undoCommand(command, { meter: "2" })).toEqual({ remove: ["pump.ctl"] });
  });

  test("is there for installations alone", () => {
    expect(canBeUndone(command)).toBe(true);
    expect(canBeUndone({ ...command, report: true })).toBe(true);
    expect(canBeUndone({ ...command, remove: ["old"] })).toBe(false);
    expect(canBeUndone({ restart: ["meter"] })).toBe(false);
    expect(canBeUndone({ install: [] })).toBe(false);
  });
});
