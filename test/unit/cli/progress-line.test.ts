import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProgressLine, progressLine } from "../../../src/cli/progress-line.ts";
import type { Terminal } from "../../../src/cli/terminal.ts";
import { TransferProgress } from "../../../src/cli/transfer-progress.ts";

/** What is shown of a transfer of 100 at the given moments. */
function watched(isTty: boolean) {
  let now = 0;
  const shown: string[] = [];
  const terminal = {
    isTty,
    columns: isTty ? 80 : undefined,
    prompt: (text: string) => shown.push(text),
    note: (line: string) => shown.push(`${line}\n`),
  } as unknown as Terminal;
  const nowMs = () => now;
  const transfer = new TransferProgress({ terminal, what: "file", format: String, nowMs });
  const at = (ms: number, done: number) => {
    now = ms;
    transfer.show(done, 100);
  };
  return { terminal, transfer, shown, at, nowMs };
}

describe("a line of progress", () => {
  it("is redrawn on a terminal, ten times a second at most, and shows the end", () => {
    const { transfer, shown, at } = watched(true);
    at(0, 1);
    at(50, 20);
    at(99, 99);
    at(99, 100);
    transfer.end();
    expect(shown).toHaveLength(3);
    expect(shown[0]).toMatch(/^\r\[-{30}\] {3}1 % {2}file {2}1 of 100/);
    expect(shown[1]).toContain("100 %");
    expect(shown[2]).toBe("\n");
  });

  it("says nothing of what is soon done where nobody watches, and a line every 10 s otherwise", () => {
    const quick = watched(false);
    quick.at(9_000, 100);
    quick.transfer.end();
    expect(quick.shown).toEqual([]);
    const slow = watched(false);
    for (let second = 0; second <= 25; second++) slow.at(second * 1000, second);
    slow.transfer.end();
    expect(slow.shown).toHaveLength(2);
    expect(slow.shown[1]).toBe("20 %  file  20 of 100, 1/s, 1 min 20 s left\n");
  });

  it("tells the same thing once, and can be taken away", () => {
    const plain = watched(false);
    const line = new ProgressLine({ terminal: plain.terminal, nowMs: plain.nowMs, lineMs: 0 });
    for (const text of ["one", "one", "two"]) line.show({ share: 0.5, text });
    line.clear();
    expect(plain.shown.map((text) => text.trim().split("  ").at(-1))).toEqual(["one", "two"]);
    const tty = watched(true);
    const drawn = new ProgressLine({ terminal: tty.terminal, nowMs: tty.nowMs, lineMs: 0 });
    drawn.show({ share: 0.5, text: "one" });
    drawn.clear();
    expect(tty.shown.at(-1)).toBe("\r\u001b[K");
  });

  it("is as long as the terminal allows, whatever there is to say", () => {
    expect(progressLine({ share: 0.5, text: "meter 2: installing" }, 80)).toBe(
      "[###############---------------]  50 %  meter 2: installing",
    );
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.string(),
        fc.nat(200),
        (share, text, columns) => {
          expect(progressLine({ share, text }, columns).length).toBeLessThan(Math.max(1, columns));
        },
      ),
    );
  });
});
