import { describe, expect, it } from "vitest";
import { parseAdjtimex } from "../../../src/telemetry/collectors/time-state.ts";
import { collectTimeState } from "../../../src/telemetry/index.ts";

const noFiles = { read: async () => undefined, list: async () => [], usage: async () => undefined };
const answers = (programs: Readonly<Record<string, string>>) => async (command: string) => programs[command];

const busybox = `    mode:         0
-o  offset:       0 us
-f  freq.adjust:  0 (65536 = 1ppm)
    maxerror:     16000000
    esterror:     16000000
    status:       64 (UNSYNC)
-p  timeconstant: 2
`;

describe("whether the clock is synchronised", () => {
  it.each([
    [busybox, false],
    [busybox.replace("64 (UNSYNC)", "1 (PLL)"), true],
    ["    status: 0x2041\n", false],
    ["         mode: 0\n       status: 8193\n", true],
    ["adjtimex: permission denied", undefined],
  ])("%j", (text, synchronised) => {
    expect(parseAdjtimex(text)).toBe(synchronised);
  });

  it("is what systemd-timesyncd's file says, without asking anybody", async () => {
    const files = { ...noFiles, list: async () => ["synchronized"] };
    const state = await collectTimeState(files, async () => {
      throw new TypeError("nobody is to be asked");
    });
    expect(state).toEqual({ synchronised: true, source: "systemd-timesyncd" });
  });

  it.each([
    [{ timedatectl: "yes\n" }, { synchronised: true, source: "timedatectl" }],
    [
      { timedatectl: "no\n", adjtimex: "status: 1" },
      { synchronised: false, source: "timedatectl" },
    ],
    [{ busybox }, { synchronised: false, source: "adjtimex" }],
    [
      { adjtimex: "status: 1", busybox },
      { synchronised: true, source: "adjtimex" },
    ],
    [{}, { synchronised: null, source: null }],
  ])("of those who know, the first: %j", async (programs, state) => {
    expect(await collectTimeState(noFiles, answers(programs as Record<string, string>))).toEqual(state);
  });
});
