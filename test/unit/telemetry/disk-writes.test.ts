import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  accumulateWrites,
  parseDiskWrites,
  parseWrittenBytes,
  writtenInDay,
} from "../../../src/telemetry/disk-writes.ts";

const hourMs = 3_600_000;

describe("what the engine writes to disk", () => {
  it("is the sum of a day, whatever the clock does within it and however often the engine starts anew", () => {
    const reading = fc.record({
      bytes: fc.nat(10_000_000),
      hours: fc.integer({ min: -3, max: 3 }),
      restarts: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 7 }), (readings) => {
        let [state, process, counter, sum, nowMs] = [parseDiskWrites(undefined), 0, 0, 0, 1e12];
        for (const { bytes, hours, restarts } of readings) {
          if (restarts) {
            process += 1;
            counter = 0;
            state = parseDiskWrites(JSON.parse(JSON.stringify(state)));
          }
          counter += bytes;
          sum += bytes;
          nowMs += hours * hourMs;
          state = accumulateWrites(state, { process, bytes: counter, nowMs });
        }
        expect(writtenInDay(state)).toBe(sum);
      }),
    );
  });

  it("forgets what is older than a day, and keeps no more than a day's hours", () => {
    let state = parseDiskWrites("damage");
    for (let hour = 1; hour <= 100; hour++) {
      state = accumulateWrites(state, { process: 1, bytes: hour * 10, nowMs: hour * hourMs });
    }
    expect(writtenInDay(state)).toBe(240);
    expect(state.hours).toHaveLength(24);
  });

  it("is read from the kernel's /proc/self/io", () => {
    const text = "rchar: 9\nread_bytes: 5\nwrite_bytes: 4096\ncancelled_write_bytes: 1\n";
    expect(parseWrittenBytes(text)).toBe(4096);
    expect(parseWrittenBytes(undefined)).toBeUndefined();
  });
});
