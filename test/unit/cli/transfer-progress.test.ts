import { describe, expect, it } from "vitest";
import { formatBytes } from "../../../src/cli/bytes.ts";
import { transferText } from "../../../src/cli/transfer-progress.ts";

const mib = 1024 * 1024;

describe("a transfer as text", () => {
  it.each([
    [
      { done: 50 * mib, total: 100 * mib, moved: 50 * mib, elapsedMs: 10_000 },
      "50.0 MiB of 100 MiB, 5.0 MiB/s, 10 s left",
    ],
    [
      // What an earlier run had fetched says nothing about this one's speed.
      { done: 75 * mib, total: 100 * mib, moved: 25 * mib, elapsedMs: 100_000 },
      "75.0 MiB of 100 MiB, 256 KiB/s, 1 min 40 s left",
    ],
    [{ done: 10, total: 10, moved: 10, elapsedMs: 1 }, "10 B of 10 B, 9.8 KiB/s"],
    [{ done: 0, total: 0, moved: 0, elapsedMs: 0 }, "0 B of 0 B, 0 B/s"],
    [{ done: 2048, total: undefined, moved: 2048, elapsedMs: 1000 }, "2.0 KiB, 2.0 KiB/s"],
    [{ done: 1, total: 10_001, moved: 1, elapsedMs: 1000 }, "1 B of 9.8 KiB, 1 B/s, 2 h 46 min left"],
  ])("%j", (transfer, text) => {
    expect(transferText(transfer, formatBytes)).toBe(text);
  });
});
