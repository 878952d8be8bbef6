import type { ProcessOutcome } from "../../platform/run-process.ts";
import type { ProbeResult } from "./policy.ts";

/** A command's end as a verdict, with the last line of what it printed. */
export function describeOutcome(outcome: ProcessOutcome, timeoutS: number): ProbeResult {
  if (outcome.end === "exited" && outcome.exitCode === 0) return { ok: true };
  const said = lastLine(outcome.output.toString("utf8"));
  const how = describeEnd(outcome, timeoutS);
  return { ok: false, detail: said === "" ? how : `${how}: ${said}` };
}

function describeEnd({ end, exitCode, signal }: ProcessOutcome, timeoutS: number): string {
  switch (end) {
    case "exited":
      return `health_command ended with exit status ${exitCode}`;
    case "signaled":
      return `health_command was ended by ${signal}`;
    case "timed-out":
      return `health_command did not end within ${timeoutS} s`;
    case "aborted":
    case "not-started":
      return "health_command could not be run";
  }
}

function lastLine(text: string): string {
  return (text.trimEnd().split("\n").at(-1) ?? "").trim().slice(0, 200);
}
