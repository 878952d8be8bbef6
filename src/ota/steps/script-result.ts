import type { Redact } from "../../core/redact.ts";
import type { AttendedOutcome } from "../../platform/attendant/attended-outcome.ts";
import { StepFailure } from "../errors.ts";
import type { InstallerResult } from "../state-machine.ts";
import { cutToTail, decodeOutput } from "../text.ts";

/** What two scripts left, one after the other: the second's exit status, and the end of both outputs. */
export function joinResults(
  first: InstallerResult,
  second: InstallerResult,
  maxBytes: number,
): InstallerResult {
  const needsNewline = first.output !== "" && second.output !== "" && !first.output.endsWith("\n");
  const whole = `${first.output}${needsNewline ? "\n" : ""}${second.output}`;
  const { tail, bytesCut } = cutToTail(whole, maxBytes);
  return {
    exitCode: second.exitCode ?? first.exitCode,
    output: tail,
    outputBytesCut: first.outputBytesCut + second.outputBytesCut + bytesCut,
  };
}

/** The result of a failed script, to be told with what came before it. */
export function afterResult(first: InstallerResult, error: unknown, maxBytes: number): unknown {
  if (!(error instanceof StepFailure)) return error;
  return new StepFailure(error.message, { cause: error, ...joinResults(first, error, maxBytes) });
}

/** What an outcome comes to, fit to be stored and sent. */
export function resultOf(outcome: AttendedOutcome, redact: Redact): InstallerResult {
  const { kept, cut } = dropTornStart(outcome);
  return {
    exitCode: outcome.exitCode ?? null,
    output: redact(decodeOutput(kept)),
    outputBytesCut: outcome.outputBytesCut + cut,
  };
}

/** Where output was cut, its first line is torn: it may begin inside a CIK, which could then not be recognised. */
function dropTornStart({ output, outputBytesCut }: AttendedOutcome): { kept: Buffer; cut: number } {
  if (outputBytesCut === 0) return { kept: output, cut: 0 };
  const newline = output.subarray(0, 1024).indexOf("\n");
  const cut = newline >= 0 ? newline + 1 : Math.min(64, output.length);
  return { kept: output.subarray(cut), cut };
}

/** What is wrong with how a script ended; undefined when nothing is. */
export function complaintAbout(
  { end, exitCode, signal, limitMs }: AttendedOutcome,
  script: string,
): string | undefined {
  switch (end) {
    case "exited":
      return exitCode === 0 ? undefined : `${script} ended with exit status ${exitCode}`;
    case "signaled":
      return `${script} was ended by ${signal}`;
    case "timed-out":
      return `${script} did not end within ${Math.round(limitMs / 1000)} seconds and was ended with all its children`;
  }
}
