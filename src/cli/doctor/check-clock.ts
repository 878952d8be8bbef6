import { existsSync } from "node:fs";
import type { EngineStatus } from "../../core/control-api.ts";
import type { CommandClock } from "../command-clock.ts";
import { runCommand } from "./command-output.ts";
import { type Finding, note, ok, warning } from "./finding.ts";

/** From there on it is more than an answer's way, and what tells whole seconds. */
const noticeMs = 5_000;
const setIt = "set it: 'timedatectl set-ntp true', or 'date -u -s <time>' and 'hwclock -w'";
/** docs/clock.md */
const isBorne =
  "the engine bears it and goes by Murano's time; gdc, applications and other programs go by this clock";

/** @param aheadMs this gateway's clock less Murano's */
export function judgeOffset(aheadMs: number): Finding {
  if (Math.abs(aheadMs) <= noticeMs) return ok("clock", "this gateway's clock agrees with Murano's");
  return warning("clock", `this gateway's clock is ${describeOffset(aheadMs)} Murano's: ${isBorne}`, setIt);
}

/** What a running engine knows of the time. */
export function judgeEngineClock({ trustedBy, wallErrorMs }: EngineStatus["clock"]): Finding {
  if (trustedBy === null || wallErrorMs === null) {
    return warning(
      "clock",
      "the engine does not know the true time yet: what applications hand to the queue waits until it does",
      "it takes it from Murano's first answer, or from a time server: see what is said of network",
    );
  }
  const isRight = Math.abs(wallErrorMs) <= noticeMs;
  const wall = isRight ? "" : `; this gateway's clock is ${describeOffset(wallErrorMs)} it`;
  return ok("clock", `the engine knows the true time (${trustedBy})${wall}`);
}

function describeOffset(aheadMs: number): string {
  return `${describeSpan(Math.abs(aheadMs))} ${aheadMs > 0 ? "ahead of" : "behind"}`;
}

function describeSpan(ms: number): string {
  const units = [
    [365.25 * 86_400_000, "years"],
    [86_400_000, "days"],
    [3_600_000, "hours"],
    [60_000, "minutes"],
    [1_000, "seconds"],
  ] as const;
  const [size, name] = units.find(([unit]) => ms >= 2 * unit) ?? [1_000, "seconds"];
  return `${Math.round(ms / size)} ${name}`;
}

/** What can be said of the clock apart from its difference to Murano's. */
export async function checkClock(clock: CommandClock): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  // Else its offset is told, and whose time is taken.
  if (clock.isPlainlyWrong && !clock.isTold) {
    findings.push(
      warning(
        "clock",
        `it is ${new Date(clock.now()).toISOString()} here, which is before the engine was built: ${isBorne}`,
        setIt,
      ),
    );
  }
  const synchronized = await runCommand("timedatectl", ["show", "-p", "NTPSynchronized", "--value"]);
  if (synchronized === "no") {
    findings.push(
      warning(
        "clock",
        "no time server sets this gateway's clock",
        "'timedatectl set-ntp true', or install chrony",
      ),
    );
  } else if (synchronized === "yes") findings.push(ok("clock", "a time server sets this gateway's clock"));
  if (!existsSync("/dev/rtc0")) {
    findings.push(
      note(
        "clock",
        "no clock runs here while the power is off: after a cut it is late until a time server answers",
      ),
    );
  }
  return findings;
}
