import fc from "fast-check";
import { expect, test } from "vitest";
import { backupName, maxOverrunBytes, nextPart } from "../../../../src/supervisor/logd/rotation.ts";

/** Writes chunks as LogFile does, into files that are lists of bytes. */
function filesOf(chunks: readonly string[], maxBytes: number): readonly string[] {
  const files = [""];
  for (const chunk of chunks) {
    for (let rest = Buffer.from(chunk, "latin1"); rest.length > 0; ) {
      const { length, isFull } = nextPart(rest, files.at(-1)?.length ?? 0, maxBytes);
      expect(length).toBeGreaterThan(0);
      files.push((files.pop() ?? "") + rest.subarray(0, length).toString("latin1"));
      rest = rest.subarray(length);
      if (isFull) files.push("");
    }
  }
  return files;
}

const line = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 30 }).map((text) => `${text}\n`);
/** Lines, cut into chunks anywhere. */
const output = fc.tuple(fc.array(line, { maxLength: 60 }), fc.array(fc.integer({ min: 1, max: 70 })));

function cut(text: string, lengths: readonly number[]): readonly string[] {
  const chunks: string[] = [];
  let at = 0;
  for (const length of lengths) {
    chunks.push(text.slice(at, at + length));
    at += length;
  }
  return [...chunks, text.slice(at)].filter((chunk) => chunk !== "");
}

test("nothing is lost, doubled or moved, and every file is full with the line that takes it to maxBytes", () => {
  fc.assert(
    fc.property(output, fc.integer({ min: 1, max: 200 }), ([lines, lengths], maxBytes) => {
      const files = filesOf(cut(lines.join(""), lengths), maxBytes);
      expect(files.join("")).toBe(lines.join(""));
      for (const file of files.slice(0, -1)) {
        expect(file.at(-1)).toBe("\n");
        expect(file.length).toBeGreaterThanOrEqual(maxBytes);
        // Without its last line it was not full yet.
        expect(file.slice(0, -1).lastIndexOf("\n") + 1).toBeLessThan(maxBytes);
      }
      expect(files.at(-1)?.length).toBeLessThan(maxBytes + 31);
    }),
  );
});

test("how the output was cut into reads makes no difference", () => {
  fc.assert(
    fc.property(output, fc.integer({ min: 1, max: 200 }), ([lines, lengths], maxBytes) => {
      const text = lines.join("");
      expect(filesOf(cut(text, lengths), maxBytes)).toEqual(filesOf(cut(text, []), maxBytes));
    }),
  );
});

test("a line without end is cut, no later than supervisord could", () => {
  const files = filesOf(
    Array.from({ length: 20 }, () => "x".repeat(64 * 1024)),
    1000,
  );
  expect(files.join("")).toHaveLength(20 * 64 * 1024);
  expect(Math.max(...files.map(({ length }) => length))).toBe(1000 + maxOverrunBytes);
});

test("maxBytes 0 never rotates, and a file that is too big already does so after the next line", () => {
  expect(filesOf(["a\n".repeat(100_000)], 0)).toHaveLength(1);
  expect(nextPart(Buffer.from("one\ntwo\n"), 5_000_000, 1000)).toEqual({ length: 4, isFull: true });
});

test("backups are numbered as supervisord numbers them", () => {
  expect([0, 1, 12].map((number) => backupName("/var/log/meter.log", number))).toEqual([
    "/var/log/meter.log",
    "/var/log/meter.log.1",
    "/var/log/meter.log.12",
  ]);
});
