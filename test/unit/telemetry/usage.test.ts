import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { accumulateCounters, accumulateTraffic } from "../../../src/telemetry/usage/accumulate.ts";
import { parseNetDev } from "../../../src/telemetry/usage/parse-counters.ts";
import { usageReport } from "../../../src/telemetry/usage/usage-report.ts";
import { noUsage, parseUsageState, type UsageState } from "../../../src/telemetry/usage/usage-state.ts";

const nowMs = Date.UTC(2026, 10, 27);
const moment = { bootId: "a", sinceBootMs: 90_000, nowMs, isTimeKnown: true };

const read = (state: UsageState, bootId: string, ...rows: [string, number, number][]): UsageState =>
  accumulateCounters(state, {
    ...moment,
    bootId,
    interfaces: rows.map(([name, ifindex, rx]) => ({ name, ifindex, rx, tx: 0 })),
  });

describe("counted traffic", () => {
  it("is what flowed, whatever wraps, reboots, vanishings and restarts of the engine come between", () => {
    const event = fc.oneof(
      { weight: 4, arbitrary: fc.nat(2 ** 31 - 1).map((bytes) => ({ kind: "flow" as const, bytes })) },
      {
        weight: 1,
        arbitrary: fc
          .constantFrom("reboot", "recreate", "vanish", "late-after-reboot", "restart")
          .map((kind) => ({ kind, bytes: 0 })),
      },
    );
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 1), fc.array(event, { maxLength: 40 }), (start, events) => {
        let [counter, ifindex, boot, sum] = [start, 3, 0, 0];
        let state = read(noUsage, "0", ["ppp0", ifindex, counter]);
        for (const { kind, bytes } of events) {
          counter = (counter + bytes) % 2 ** 32;
          sum += bytes;
          if (kind === "reboot" || kind === "late-after-reboot") boot += 1;
          if (kind === "recreate") ifindex += 1;
          if (kind !== "flow" && kind !== "vanish" && kind !== "restart") counter = 0;
          if (kind === "restart") state = parseUsageState(JSON.parse(JSON.stringify(state)));
          state =
            kind === "vanish" || kind === "late-after-reboot"
              ? read(state, String(boot))
              : read(state, String(boot), ["ppp0", ifindex, counter]);
        }
        // An interface that was away all through a reboot of the machine is read once more.
        state = read(state, String(boot), ["ppp0", ifindex, counter]);
        expect(state.interfaces.ppp0?.rx).toBe(sum);
      }),
    );
  });

  it("remembers 64 interfaces that are gone, the busiest, and each that is there", () => {
    let state = read(noUsage, "a", ["eth0", 1, 0]);
    for (let n = 2; n < 302; n++) state = read(state, "a", ["eth0", 1, 0], [`veth${n}`, n, n]);
    state = read(state, "a", ["eth0", 1, 0]);
    expect(Object.keys(state.interfaces)).toHaveLength(65);
    expect(state.interfaces).toMatchObject({ eth0: { rx: 0 }, veth301: { rx: 301 } });
  });

  it("counts a 64-bit counter that its driver set back from zero", () => {
    const before = read(noUsage, "a", ["eth0", 2, 9_000_000_000]);
    expect(read(before, "a", ["eth0", 2, 500]).interfaces.eth0?.rx).toBe(500);
  });
});

describe("usage_report", () => {
  it("tells modems first, the largest consumer, and leaves out what is quiet", () => {
    let state = read(noUsage, "a", ["lo", 1, 0], ["eth0", 2, 0], ["eth1", 3, 0]);
    state = read(state, "a", ["lo", 1, 999], ["eth0", 2, 700], ["eth1", 3, 0], ["ppp0", 4, 100]);
    const request = { ...moment, interface: "ppp0", tx: 10 };
    state = accumulateTraffic(state, { ...request, consumer: "gwe:read", rx: 20 });
    state = accumulateTraffic(state, { ...request, consumer: "M/app-1", rx: 40 });
    state = accumulateTraffic(state, { ...request, consumer: "M/app-1", rx: 30 });
    const report: unknown = JSON.parse(usageReport(state));
    expect(report).toEqual({
      ppp0: {
        top_consumer: "M/app-1",
        consumers: {
          "M/app-1": { tot_rx: 70, max_rx: 40, tot_tx: 20, max_tx: 10, num: 2 },
          "gwe:read": { tot_rx: 20, max_rx: 20, tot_tx: 10, max_tx: 10, num: 1 },
        },
        rx: 100,
        tx: 0,
        since: nowMs / 1000,
      },
      eth0: { top_consumer: "", consumers: {}, rx: 700, tx: 0, since: nowMs / 1000 },
    });
    expect(Object.keys(report as object)[0]).toBe("ppp0");
  });

  it("sums what is beyond 64 consumers", () => {
    let state = noUsage;
    for (let n = 0; n < 70; n++)
      state = accumulateTraffic(state, { interface: "eth0", consumer: `M/${n}`, rx: 1, tx: 0, ...moment });
    expect(state.interfaces.eth0?.consumers.other?.requests).toBe(6);
  });

  it("fits a dataport, whatever the apps are called: the largest consumers are told", () => {
    let state = noUsage;
    for (let iface = 0; iface < 40; iface++) {
      for (let n = 0; n < 64; n++) {
        const consumer = `${"M".repeat(100)}/${String(n).padStart(100, "s")}`;
        state = accumulateTraffic(state, { interface: `eth${iface}`, consumer, rx: n, tx: 0, ...moment });
      }
    }
    const text = usageReport(state);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(64 * 1024);
    const { eth0 } = JSON.parse(text);
    expect(Object.keys(eth0.consumers)[0]).toBe(eth0.top_consumer);
    expect(eth0.top_consumer).toMatch(/s63$/);
  });

  it("reads /proc/net/dev, also where a number touches the colon", () => {
    const text =
      "Inter-|   Receive  |  Transmit\n face |bytes packets|bytes\n  eth0:4294967295 1 0 0 0 0 0 0 77 1 0 0 0 0 0 0\n";
    expect(parseNetDev(text)).toEqual([{ name: "eth0", rx: 4294967295, tx: 77 }]);
  });

  it("began when it did, once the time is known, whatever the clock said then", () => {
    const early = { ...moment, sinceBootMs: 20_000, nowMs: 20_000, isTimeKnown: false };
    const counters = { name: "eth0", ifindex: 1, rx: 0, tx: 0 };
    const begun = accumulateCounters(noUsage, { ...early, interfaces: [counters] });
    expect(begun.interfaces.eth0?.since).toBe(20);
    const kept = parseUsageState(JSON.parse(JSON.stringify(begun)));
    const since = (bootId: string) =>
      accumulateCounters(kept, { ...moment, bootId, interfaces: [counters] }).interfaces.eth0?.since;
    expect(since("a")).toBe(nowMs / 1000 - 70);
    // Of a boot that never learned the time nothing is certain but that this program did not exist before.
    expect(since("b")).toBe(Date.UTC(2026, 0, 1) / 1000);
  });
});
