import type { FailPoint } from "./fail-points.ts";

/** One line for each name and outcome, in the order in which they are met. */
export function printPoints(heading: string, points: readonly FailPoint[], onlyViolations: boolean): void {
  console.log(`\n== ${heading}: ${points.length} fail points`);
  const lines = new Map<string, number>();
  for (const { name, verdict } of points) {
    if (onlyViolations && !("violation" in verdict)) continue;
    const text = "violation" in verdict ? `VIOLATION ${verdict.violation}` : verdict.outcome;
    const line = `${name.padEnd(76)} ${text}`;
    lines.set(line, (lines.get(line) ?? 0) + 1);
  }
  for (const [line, count] of lines) console.log(`${`${count} x`.padStart(5)} ${line}`);
}

/** The last line, and the exit status. */
export function summarise(points: readonly FailPoint[], startedMs: number): 0 | 1 {
  const violations = points.filter(({ verdict }) => "violation" in verdict).length;
  const names = new Set(points.map(({ name }) => name)).size;
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  console.log(
    `\n${points.length} fail points, ${names} of different names, in ${seconds} s: ${violations} violations`,
  );
  return violations === 0 && points.length > 0 ? 0 : 1;
}
