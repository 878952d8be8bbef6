import { describe, expect, it } from "vitest";
import { ProgressBar, progressText } from "../../../src/cli/progress-bar.ts";
import type { Terminal } from "../../../src/cli/terminal.ts";

const mib = 1024 * 1024;

describe("progress as text", () => {
  it.each([
    [
      { doneBytes: 50 * mib, totalBytes: 100 * mib, movedBytes: 50 * mib, elapsedMs: 10_000 },
      "[###############---------------] 50% 50.0 MiB of 100 MiB 5.0 MiB/s 10 s left",
    ],
    [
      // What an earlier run had fetched says nothing about this one's speed.
      { doneBytes: 75 * mib, totalBytes: 100 * mib, movedBytes: 25 * mib, elapsedMs: 100_000 },
      "[######################--------] 75% 75.0 MiB of 100 MiB 256 KiB/s 1 min 40 s left",
    ],
    [
      { doneBytes: 10, totalBytes: 10, movedBytes: 10, elapsedMs: 1 },
      "[##############################]100% 10 B of 10 B 9.8 KiB/s",
    ],
    [
      { doneBytes: 0, totalBytes: 0, movedBytes: 0, elapsedMs: 0 },
      "[##############################]100% 0 B of 0 B 0 B/s",
    ],
    [{ doneBytes: 2048, totalBytes: undefined, movedBytes: 2048, elapsedMs: 1000 }, "2.0 KiB 2.0 KiB/s"],
    [
      { doneBytes: 1, totalBytes: 10_001, movedBytes: 1, elapsedMs: 1000 },
      "[------------------------------]  0% 1 B of 9.8 KiB 1 B/s 2 h 46 min left",
    ],
  ])("%j", (progress, text) => {
    expect(progressText("x", progress)).toBe(`x ${text}`);
  });
});

describe("a progress bar", () => {
  function bar(isTty: boolean) {
    let now = 0;
    const shown: string[] = [];
    const terminal = {
      isTty,
      prompt: (text: string) => shown.push(text),
      note: (line: string) => shown.push(`${line}\n`),
    } as unknown as Terminal;
    const progress = new ProgressBar(terminal, "file", () => now);
    const at = (ms: number, done: number) => {
      now = ms;
      progress.show(done, 100);
    };
    return { progress, shown, at };
  }

  it("redraws one line of a terminal, ten times a second at most, and shows the end", () => {
    const { progress, shown, at } = bar(true);
    at(0, 1);
    at(50, 20);
    at(99, 99);
    at(99, 100);
    progress.end();
    expect(shown).toHaveLength(3);
    expect(shown[0]).toMatch(/^\rfile \[-{30}\] {2}1%/);
    expect(shown[1]).toContain("100%");
    expect(shown[2]).toBe("\n");
  });

  it("says nothing of what is soon done where nobody watches, and a line every 10 s otherwise", () => {
    const quick = bar(false);
    quick.at(9_000, 100);
    quick.progress.end();
    expect(quick.shown).toEqual([]);
    const slow = bar(false);
    for (let second = 0; second <= 25; second++) slow.at(second * 1000, second);
    slow.progress.end();
    expect(slow.shown).toHaveLength(2);
    expect(slow.shown[1]).toMatch(/^file \[.*20%.*\n$/);
  });
});
