import { describe, expect, it } from "vitest";
import { Patience } from "../../../../src/ota/download/patience.ts";
import { TokenBucket } from "../../../../src/ota/download/token-bucket.ts";
import { defaultOtaLimits } from "../../../../src/ota/index.ts";
import { FakeClock } from "../../../support/fake-clock.ts";

const hourMs = 3_600_000;
const signal = new AbortController().signal;

describe("patience", () => {
  function patience() {
    const clock = new FakeClock();
    return { clock, patience: new Patience({ clock, random: () => 0, limits: defaultOtaLimits }) };
  }

  it("waits longer after each attempt that brought nothing, and hardly at all after one that did", () => {
    const { patience: subject } = patience();
    subject.beginWith(100);
    const delays: number[] = [];
    for (const held of [100, 100, 100, 101, 100, 101, 102]) {
      subject.observe(held);
      delays.push(subject.delayMs("cut"));
    }
    expect(delays).toEqual([2_000, 4_000, 8_000, 250, 2_000, 4_000, 250]);
  });

  it("ends after 24 hours without a byte", async () => {
    const { clock, patience: subject } = patience();
    await clock.advance(20 * hourMs);
    expect(subject.observe(1)).toBe(true);
    await clock.advance(23.9 * hourMs);
    subject.observe(1);
    expect(subject.delayMs("cut")).toBe(2_000);
    await clock.advance(0.2 * hourMs);
    expect(() => subject.delayMs("cut")).toThrow("no byte in 24 hours; the last trouble: cut");
  });

  it("ends after a week, however the bytes drip", async () => {
    const { clock, patience: subject } = patience();
    for (let hour = 1; hour <= 168; hour++) {
      await clock.advance(hourMs);
      subject.observe(hour);
      if (hour < 168) subject.delayMs("cut");
    }
    expect(() => subject.delayMs("cut")).toThrow("could not be downloaded within 168 hours");
  });

  it("ends after 300 attempts in a row that brought nothing", () => {
    const { patience: subject } = patience();
    for (let attempt = 0; attempt < 300; attempt++) subject.observe(0);
    subject.delayMs("cut");
    subject.observe(0);
    expect(() => subject.delayMs("cut")).toThrow("301 attempts brought nothing; the last trouble: cut");
  });
});

describe("a token bucket", () => {
  it("keeps the average speed, with a second's worth at once", async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket({ clock, bytesPerSecond: 1_000 });
    let taken = 0;
    void (async () => {
      for (;;) {
        await bucket.take(300, signal);
        taken += 300;
      }
    })();
    await clock.advance(10_000);
    expect(taken).toBeGreaterThan(10_600);
    expect(taken).toBeLessThanOrEqual(11_000);
  });

  it("makes up for no more than a second of silence", async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket({ clock, bytesPerSecond: 1_000 });
    await clock.advance(60_000);
    const taken = bucket.take(3_000, signal);
    await clock.advance(0);
    expect(clock.nextDueMs).toBe(62_000);
    await clock.advance(2_000);
    await taken;
  });

  it("lets go at once when stopped", async () => {
    const stop = new AbortController();
    const bucket = new TokenBucket({ clock: new FakeClock(), bytesPerSecond: 1 });
    const taken = bucket.take(1_000_000, stop.signal);
    stop.abort(new RangeError("stopped"));
    await expect(taken).rejects.toThrow("stopped");
  });
});
