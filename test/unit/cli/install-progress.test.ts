import { describe, expect, it } from "vitest";
import { progressOf } from "../../../src/cli/install-progress.ts";

const meter = { app: "meter", version: "2" };
const pump = { app: "pump", version: "1" };

describe("progressOf", () => {
  it("says nothing while none of the packages is under way", () => {
    expect(progressOf([], [meter])).toBeUndefined();
    expect(progressOf([{ app: "meter", version: "1", state: "unpacking" }], [meter])).toBeUndefined();
  });

  it("counts packages and their steps", () => {
    const packages = [meter, pump];
    const at = (...jobs: readonly { app: string; version: string; state: string }[]) =>
      progressOf(jobs, packages);
    expect(at({ ...meter, state: "queued" }, { ...pump, state: "queued" })).toEqual({
      share: 0,
      text: "meter 2: queued (1 of 2)",
    });
    expect(at({ ...meter, state: "installing" }, { ...pump, state: "queued" })).toEqual({
      share: 0.25,
      text: "meter 2: installing (1 of 2)",
    });
    expect(at({ ...pump, state: "installing" })).toEqual({
      share: 0.75,
      text: "pump 1: installing (2 of 2)",
    });
  });

  it("tells what is before them", () => {
    const download = {
      app: "big",
      version: "9",
      state: "downloading",
      receivedBytes: 524_288,
      totalBytes: 2_097_152,
    };
    expect(progressOf([download, { ...meter, state: "queued" }], [meter])?.text).toBe(
      "meter 2: queued, waiting for big 9: downloading 25 % of 2.0 MiB",
    );
  });
});
