import { readFileSync } from "node:fs";

/** The clock that launchers note times by: centiseconds since boot. It never steps. */
export function uptimeCs(): number {
  return Math.round(Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) * 100);
}
