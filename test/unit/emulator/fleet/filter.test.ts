import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseFilter } from "../../../../src/emulator/fleet/filter.ts";
import type { Gateway } from "../../../../src/emulator/fleet/gateway.ts";

const now = 1_000_000;

const pump: Gateway = {
  rid: "1",
  product: "pump",
  sn: "00:AA:BB:CC:DD:17",
  status: "activated",
  tags: ["Rig-7", "lab"],
  groups: ["pilot", "hall 2"],
  seen: now - 5,
  onlineUntil: now + 60,
  engine: "1.10.0",
  host: "gw-17",
  ip: "10.0.0.17",
  arch: "x64",
  apps: [
    { name: "meter", version: "1.3-rc1", status: "RUNNING" },
    { name: "log.ger", version: "2", status: "BACKOFF" },
  ],
  disk: 80,
  result: { ts: now, id: "x", status: "failed", app: "meter", version: "1" },
};

const bare: Gateway = {
  rid: "2",
  product: "valve",
  sn: "V-2",
  status: "notactivated",
  tags: [],
  groups: [],
  seen: null,
  onlineUntil: 0,
  apps: [],
};

function chosen(filter: string): string[] {
  const parsed = parseFilter(filter);
  if (!parsed.ok) throw new Error(parsed.problem);
  return [pump, bare].filter((gateway) => parsed.matches(gateway, now)).map(({ sn }) => sn);
}
const isPump = [pump.sn];
const isBare = [bare.sn];
const both = [pump.sn, bare.sn];

describe("a filter", () => {
  test.each([
    ["", both],
    ["  ", both],
    ["aa:bb", isPump],
    ["GW-17", isPump],
    ["pilot", isPump],
    ["hall", isPump],
    ["rig-7", isPump],
    ["tag:rig-*", isPump],
    ["tag:rig", []],
    ["-tag:lab", isBare],
    ['group:"hall 2"', isPump],
    ["sn:00:aa:*", isPump],
    ["sn:00:aa", []],
    ["sn:v-?,x*", isBare],
    ["product:pump,valve", both],
    ["-product:pump", isBare],
    ["engine:1.10*", isPump],
    ["engine<1.9", []],
    ["engine>=1.10", isPump],
    ["app:meter", isPump],
    ["app.meter<1.3", isPump],
    ["app.meter>=1.3", []],
    ["app.log.ger=2", isPump],
    ["app.other<9", []],
    ["-app:meter", isBare],
    ["state:BACKOFF", isPump],
    ["is:failing", isPump],
    ["is:online", isPump],
    ["is:offline", isBare],
    ["is:pending", []],
    ["disk>79", isPump],
    ["disk>80", []],
    ["disk>=80 is:online arch:x64", isPump],
    ["memory<100", []],
    ["result:failed", isPump],
    ["status:notactivated", isBare],
    ["17 -disk>90", isPump],
    ["sn:*(*", []],
  ])("%j chooses what it says", (filter, serials) => {
    expect(chosen(filter)).toEqual(serials);
  });

  test.each([
    ["disk>full", "'disk>' takes a number, not 'full'"],
    ["disk:", "'disk:' takes a number, not ''"],
    ["is:asleep", "'is:' takes online, offline, pending, failing, not 'asleep'"],
    ["sn<3", "'sn' takes ':', not '<'"],
    ["sn:", "'sn:' lacks a value"],
    ["engine<", "'engine<' lacks a version"],
    ["prodct:pump", "there is no 'prodct' to filter by"],
    ["constructor:x", "there is no 'constructor' to filter by"],
    ["-disk>x", "'disk>' takes a number, not 'x'"],
  ])("%j is refused with what is wrong", (filter, problem) => {
    expect(parseFilter(filter)).toEqual({ ok: false, problem });
  });

  test("never throws, and its negation chooses the others", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z:<>=*?."\\()[\]{}^$+|, -]{0,20}$/), (text) => {
        const parsed = parseFilter(text);
        if (!parsed.ok) return;
        parsed.matches(pump, now);
        if (/[\s"]/.test(text) || text === "" || text.startsWith("-")) return;
        const negated = parseFilter(`-${text}`);
        expect(negated.ok && negated.matches(pump, now)).toBe(!parsed.matches(pump, now));
      }),
    );
  });

  test("takes any serial number as itself", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[!-~]{1,20}$/), (sn) => {
        fc.pre(!/["*?,]/.test(sn));
        const parsed = parseFilter(`sn:${sn}`);
        expect(parsed.ok && parsed.matches({ ...bare, sn }, now)).toBe(true);
      }),
    );
  });
});
