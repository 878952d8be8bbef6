import { existsSync } from "node:fs";
import { runCommand } from "./command-output.ts";
import { type Finding, fault, note, ok, warning } from "./finding.ts";

/** TLS, and the times of reports, bear this much. */
const noticeMs = 5_000;
const faultMs = 5 * 60_000;
const setIt = "set it: 'timedatectl set-ntp true', or 'date -u -s <time>' and 'hwclock -w'";

/** @param aheadMs this gateway's clock less Murano's */
export function judgeOffset(aheadMs: number): Finding {
  const off = Math.abs(aheadMs);
  const text = `this gateway's clock is ${describeSpan(off)} ${aheadMs > 0 ? "ahead of" : "behind"} Murano's`;
  if (off <= noticeMs) return ok("clock", "this gateway's clock agrees with Murano's");
  return off <= faultMs ? warning("clock", text, setIt) : fault("clock", text, setIt);
}

function describeSpan(ms: number): string {
  const units = [
    [86_400_000, "days"],
    [3_600_000, "hours"],
    [60_000, "minutes"],
    [1_000, "seconds"],
  ] as const;
  const [size, name] = units.find(([unit]) => ms >= 2 * unit) ?? [1_000, "seconds"];
  return `${Math.round(ms / size)} ${name}`;
}

/** No gateway runs this program before it was written. */
const writtenAtMs = Date.UTC(2026, 0);

/** What can be said of the clock without Murano. @param nowMs unix milliseconds by this gateway's clock */
export async function checkClock(nowMs: number): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  if (nowMs < writtenAtMs) {
    findings.push(fault("clock", `it is ${new Date(nowMs).toISOString()} here: that cannot be`, setIt));
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
