import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maxDataportBytes } from "../../../src/core/reports.ts";
import { parseCommand } from "../../../src/ota/command.ts";
import { encodeFetchStatus, type FetchStatusApp, fairShares } from "../../../src/ota/fetch-status.ts";
import { cutText, cutToTail, decodeOutput, jsonBytes } from "../../../src/ota/text.ts";

const app = (overrides: Partial<FetchStatusApp> = {}): FetchStatusApp => ({
  name: "meter",
  version: "1",
  status: "installed",
  exit_code: 0,
  started: "2026-01-01T00:00:00.000Z",
  finished: "2026-01-01T00:00:01.000Z",
  output: "",
  output_cut: 0,
  ...overrides,
});

const output = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  fc
    .tuple(fc.constantFrom("x", "\u0001", '"', "é", "😀", "\ud800"), fc.nat(70_000))
    .map(([c, n]) => c.repeat(n)),
);

describe("fetch_status", () => {
  it("fits a dataport for any outputs, and each app keeps its end", () => {
    fc.assert(
      fc.property(fc.array(output, { maxLength: 20 }), (outputs) => {
        const value = encodeFetchStatus(
          { id: "1", apps: outputs.map((text) => app({ output: text })) },
          "json",
        );
        expect(Buffer.byteLength(value)).toBeLessThanOrEqual(maxDataportBytes);
        const decoded = JSON.parse(value) as { apps: FetchStatusApp[] };
        for (const [index, { output: sent, output_cut }] of decoded.apps.entries()) {
          const whole = outputs[index] ?? "";
          expect(whole.endsWith(sent)).toBe(true);
          expect(output_cut).toBe(Buffer.byteLength(whole.slice(0, whole.length - sent.length)));
        }
      }),
      { numRuns: 50 },
    );
  });

  it("fits for the largest command with the longest names", () => {
    const longest = { name: "\u0001".repeat(300) };
    const command = parseCommand(
      JSON.stringify({ id: "\u0001".repeat(100), install: Array(128).fill(longest) }),
    );
    if (command.kind !== "command") throw new TypeError(command.problem);
    const apps = command.installs.map((entry) =>
      app({ name: entry.kind === "package" ? "" : entry.name, output: "x".repeat(5_000) }),
    );
    const packages = Array(128).fill(
      app({ name: "n".repeat(100), version: "v".repeat(100), output: "y".repeat(5_000) }),
    );
    for (const list of [apps, packages]) {
      const report = {
        id: command.id ?? "",
        apps: list,
        error: "\u0001".repeat(9_000),
        expected: "e".repeat(100),
      };
      expect(Buffer.byteLength(encodeFetchStatus(report, "json"))).toBeLessThanOrEqual(maxDataportBytes);
    }
  });

  it("gives small outputs in full and lets large ones share the rest", () => {
    expect(fairShares([10, 1_000, 5, 1_000], 115)).toEqual([10, 50, 5, 50]);
    const value = encodeFetchStatus(
      { id: "1", apps: [app({ output: "small" }), app({ output: "x".repeat(100_000) })] },
      "json",
    );
    expect(JSON.parse(value)).toMatchObject({
      apps: [{ output: "small", output_cut: 0 }, { output_cut: expect.any(Number) }],
    });
    expect(Buffer.byteLength(value)).toBeGreaterThan(maxDataportBytes - 50);
  });

  it("as text is the end of what was printed, cut between characters", () => {
    const value = encodeFetchStatus(
      { id: "1", apps: [app({ output: "é".repeat(60_000) }), app({ output: "!" })] },
      "text",
    );
    expect(Buffer.byteLength(value)).toBeLessThanOrEqual(maxDataportBytes);
    expect(value).toMatch(/^é+!$/);
  });
});

describe("texts", () => {
  it("are cut to what they take in JSON, never inside a character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 3, max: 100 }), (text, max) => {
        const { tail, bytesCut } = cutToTail(text, max);
        expect(jsonBytes(tail)).toBeLessThanOrEqual(max);
        expect(bytesCut + Buffer.byteLength(tail)).toBe(Buffer.byteLength(text));
        expect(jsonBytes(cutText(text, max))).toBeLessThanOrEqual(max);
      }),
    );
  });

  it("are valid Unicode without NUL, whatever an installer printed", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = decodeOutput(bytes);
        return text.isWellFormed() && !text.includes("\0");
      }),
    );
  });
});
