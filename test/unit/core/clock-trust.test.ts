import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  assumed,
  type ClockTrust,
  heardServer,
  heardSystem,
  kept,
  offsetAt,
  untrusted,
} from "../../../src/core/clock-trust.ts";

const bootedAtMs = Date.UTC(2026, 5, 1);
/** An answer that was on its way from `sentMs` to `receivedMs`, read off the server's clock at `readMs`. */
function answer(sentMs: number, readMs: number, receivedMs: number, aheadMs = 0) {
  const dateMs = Math.floor((bootedAtMs + readMs + aheadMs) / 1000) * 1000;
  return { dateMs, sentMs, receivedMs };
}

type Event =
  | { readonly kind: "server"; readonly tripMs: number; readonly share: number }
  | { readonly kind: "wall"; readonly offsetMs: number }
  | { readonly kind: "synchronised" };

/** Honest witnesses, and a wall clock that anybody sets to anything. */
const events = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 0, max: 3_600_000 }),
    event: fc.oneof(
      fc.record({
        kind: fc.constant("server" as const),
        tripMs: fc.integer({ min: 0, max: 30_000 }),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      fc.record({
        kind: fc.constant("wall" as const),
        offsetMs: fc.oneof(
          fc.constant(0),
          fc.integer({ min: 0, max: 100_000_000 }),
          fc.integer({ min: bootedAtMs - 10_000, max: bootedAtMs + 10_000 }),
          fc.integer({ min: bootedAtMs - 1e9, max: bootedAtMs + 1e9 }),
        ),
      }),
      fc.record({ kind: fc.constant("synchronised" as const) }),
    ),
  }),
  { maxLength: 40 },
);

/** Plays events on a boot clock that gains `drift` on true time; tells of each state. */
function play(
  list: readonly { readonly afterMs: number; readonly event: Event }[],
  drift: number,
  look: (trust: ClockTrust, nowMs: number, event: Event, trueOffsetMs: number) => void,
): void {
  let trust = untrusted;
  let nowMs = 5_000;
  let wallOffsetMs = 0;
  for (const { afterMs, event } of list) {
    nowMs += afterMs;
    const trueOffsetMs = bootedAtMs - nowMs * drift;
    if (event.kind === "wall") wallOffsetMs = event.offsetMs;
    else if (event.kind === "synchronised") {
      wallOffsetMs = trueOffsetMs;
      trust = heardSystem(trust, nowMs, wallOffsetMs);
    } else {
      const sentMs = nowMs;
      nowMs += event.tripMs;
      const readMs = sentMs + event.tripMs * event.share;
      const dateMs = Math.floor((readMs + trueOffsetMs) / 1000) * 1000;
      trust = heardServer(trust, { dateMs, sentMs, receivedMs: nowMs }, wallOffsetMs);
    }
    look(trust, nowMs, event, trueOffsetMs);
  }
}

describe("what the engine believes of the time", () => {
  it("is nothing before somebody has told it, whatever the wall clock says", () => {
    fc.assert(
      fc.property(events, (list) => {
        let isTold = false;
        play(list, 0, (trust, nowMs, event) => {
          isTold ||= event.kind !== "wall";
          expect(offsetAt(trust, nowMs) !== undefined).toBe(isTold);
        });
      }),
    );
  });

  it("is as near to the truth as the trips allow, and does not move when the wall clock is set", () => {
    fc.assert(
      fc.property(events, fc.double({ min: -1e-4, max: 1e-4, noNaN: true }), (list, drift) => {
        let longestTripMs = 0;
        let before: number | undefined;
        play(list, drift, (trust, nowMs, event, trueOffsetMs) => {
          if (event.kind === "server") longestTripMs = Math.max(longestTripMs, event.tripMs);
          const offsetMs = offsetAt(trust, nowMs);
          if (offsetMs === undefined) return;
          const driftMs = 1e-4 * nowMs;
          expect(Math.abs(offsetMs - trueOffsetMs)).toBeLessThanOrEqual(longestTripMs + 2_001 + driftMs);
          // At most what is being made up for slowly.
          if (event.kind === "wall" && before !== undefined) {
            expect(Math.abs(offsetMs - before)).toBeLessThanOrEqual(longestTripMs + 2_001 + driftMs);
          }
          before = offsetMs;
        });
      }),
    );
  });

  it("makes a time that never runs backwards while witnesses are honest", () => {
    fc.assert(
      fc.property(events, fc.double({ min: -1e-4, max: 1e-4, noNaN: true }), (list, drift) => {
        let lastMs = Number.NEGATIVE_INFINITY;
        play(list, drift, (trust, nowMs) => {
          const offsetMs = offsetAt(trust, nowMs);
          if (offsetMs === undefined) return;
          expect(nowMs + offsetMs).toBeGreaterThanOrEqual(lastMs);
          lastMs = nowMs + offsetMs;
        });
      }),
    );
  });

  it("follows a crystal that drifts, by Murano's answers alone", () => {
    let trust = untrusted;
    const day = 86_400_000;
    for (let nowMs = 1_000; nowMs < 30 * day; nowMs += 4 * 3_600_000) {
      const trueMs = bootedAtMs + nowMs * (1 + 1e-4);
      const dateMs = Math.floor(trueMs / 1000) * 1000;
      trust = heardServer(trust, { dateMs, sentMs: nowMs, receivedMs: nowMs + 50 }, 0);
      const laterMs = nowMs + 60_000;
      const errorMs = laterMs + (offsetAt(trust, laterMs) ?? 0) - (bootedAtMs + laterMs * (1 + 1e-4));
      expect(Math.abs(errorMs)).toBeLessThan(1_200);
    }
  });

  it("takes the wall clock to the millisecond where Murano agrees with it", () => {
    const trust = heardServer(untrusted, answer(1_000, 1_020, 1_040), bootedAtMs + 123);
    expect(offsetAt(trust, 2_000)).toBe(bootedAtMs + 123);
    expect(trust.known?.source).toBe("murano");
  });

  it("goes by the middle of what is possible where the wall clock is wrong", () => {
    const trust = heardServer(untrusted, answer(1_000, 1_020, 1_040), 0);
    expect(Math.abs((offsetAt(trust, 2_000) ?? 0) - bootedAtMs)).toBeLessThanOrEqual(600);
  });

  it("is not shaken by one answer with a wrong time, but by two that agree", () => {
    const right = heardServer(untrusted, answer(1_000, 1_000, 1_000), bootedAtMs);
    const once = heardServer(right, answer(2_000, 2_000, 2_000, 7_200_000), bootedAtMs);
    expect(offsetAt(once, 3_000)).toBe(bootedAtMs);
    const again = heardServer(once, answer(3_000, 3_000, 3_000), bootedAtMs);
    expect(again.doubt).toBeUndefined();
    const twice = heardServer(once, answer(3_000, 3_000, 3_000, 7_200_000), bootedAtMs);
    expect(Math.abs((offsetAt(twice, 4_000) ?? 0) - bootedAtMs - 7_200_000)).toBeLessThanOrEqual(1_000);
  });

  it("does not believe a system that calls a wrong clock synchronised where Murano knows better", () => {
    const trust = heardServer(untrusted, answer(1_000, 1_000, 1_000), 0);
    expect(heardSystem(trust, 2_000, bootedAtMs - 7_200_000)).toBe(trust);
    expect(heardSystem(trust, 2_000, bootedAtMs + 200).known?.source).toBe("system");
  });

  it("learns nothing from an answer that took too long, or came before it was asked for", () => {
    expect(heardServer(untrusted, answer(0, 100, 300_000), bootedAtMs)).toBe(untrusted);
    expect(heardServer(untrusted, answer(1_000, 100, 0), bootedAtMs)).toBe(untrusted);
  });

  it("keeps what an earlier run knew until somebody says otherwise, and an assumption only until then", () => {
    const before = kept(untrusted, 1_000, bootedAtMs);
    expect(assumed(before, 1_000, 0)).toBe(before);
    expect(kept(before, 1_000, 0)).toBe(before);
    expect(heardServer(before, answer(2_000, 2_000, 2_000), 0).known?.source).toBe("murano");
    const guess = assumed(untrusted, 1_000, bootedAtMs - 7_200_000);
    const told = heardServer(guess, answer(2_000, 2_000, 2_000), bootedAtMs - 7_200_000);
    expect(Math.abs((offsetAt(told, 2_000) ?? 0) - bootedAtMs)).toBeLessThanOrEqual(1_000);
  });
});
